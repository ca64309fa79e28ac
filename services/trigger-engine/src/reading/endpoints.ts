import { controlHandler, type EndpointSpec, type Handler } from '@tidegate/bus';
import {
  BusyError,
  ENDPOINTS,
  emptySchema,
  encodeBody,
  type KernelListReply,
  TimeoutError,
  type TriggerTestReply,
  type TriggerTestRequest,
  triggerDecisionsSchema,
  triggerExplainSchema,
  triggerTestSchema,
} from '@tidegate/protocol';
import type { ReadingContext } from './context.js';
import { listDecisions } from './decisions.js';
import { dryRun } from './dry-run.js';
import { explainDecision } from './explain.js';

/** Dry runs at a time, and how long one may take. */
const TESTS = 4;
const TEST_MS = 60_000;
const TEST_RETRY_MS = 1000;
/** Scans of the decision log at a time. */
const SCANS = 32;

/** What is read of triggers and kernels: any trigger-engine answers any of it. */
export function readingEndpoints(context: ReadingContext): EndpointSpec[] {
  return [
    endpoint(ENDPOINTS.triggerTest, controlHandler(triggerTestSchema, boundedTests(context))),
    endpoint(
      ENDPOINTS.triggerExplain,
      controlHandler(triggerExplainSchema, (request) => explainDecision(context, request)),
      SCANS,
    ),
    endpoint(
      ENDPOINTS.triggerDecisions,
      controlHandler(triggerDecisionsSchema, (request) => listDecisions(context, request)),
      SCANS,
    ),
    endpoint(ENDPOINTS.kernelPut, async ({ data, encoding }) => ({
      data: encodeBody(await context.kernels.put(data.slice()), encoding),
    })),
    endpoint(
      ENDPOINTS.kernelList,
      controlHandler(emptySchema, async () => ({ kernels: await context.kernels.list() }) satisfies KernelListReply),
    ),
  ];
}

function endpoint(
  { name, subject }: { readonly name: string; readonly subject: string },
  handler: Handler,
  maxPending?: number,
): EndpointSpec {
  return { name, subject, handler, ...(maxPending !== undefined && { maxPending }) };
}

function boundedTests(context: ReadingContext): (request: TriggerTestRequest) => Promise<TriggerTestReply> {
  let running = 0;
  return async (request) => {
    if (running === TESTS) throw new BusyError(`${TESTS} tests of triggers are running`, TEST_RETRY_MS);
    running++;
    const late = AbortSignal.timeout(TEST_MS);
    try {
      return await dryRun(context, request, AbortSignal.any([context.signal, late]));
    } catch (error) {
      if (!late.aborted) throw error;
      throw new TimeoutError(`the test took longer than ${TEST_MS} ms: ask for fewer steps`, undefined, {
        cause: error,
      });
    } finally {
      running--;
    }
  };
}
