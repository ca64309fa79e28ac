import { type Bus, type StreamMessage, tail } from '@tidegate/bus';
import {
  DECISIONS_LIMIT,
  type DecisionReply,
  type DecisionsReply,
  decisionReplySchema,
  decisionSubject,
  type ExplainReply,
  PUBLIC,
  type RegisterReply,
  STREAMS,
  type StepSelection,
  type TriggerDefinitionInput,
  type TriggerDeleteReply,
  type TriggerListReply,
  type TriggerReply,
  type TriggerTestReply,
} from '@tidegate/protocol';
import type { Call, CallOptions } from './requests.js';

export interface TriggerTestRequest extends CallOptions {
  readonly definition: TriggerDefinitionInput;
  readonly steps: StepSelection;
  readonly run?: string;
}

export interface ExplainRequest extends CallOptions {
  /** Full name, `parent~child` for a nested trigger. */
  readonly name: string;
  readonly step: number;
  readonly run?: string;
  /** Default: the newest that decided the step. */
  readonly generation?: number;
}

export interface DecisionsRequest extends CallOptions {
  /** Full name, `parent~child` for a nested trigger. */
  readonly name: string;
  /** Default: all runs. */
  readonly run?: string;
  /** Lowest step; default 0. */
  readonly from?: number;
  /** Only those of this one. */
  readonly generation?: number;
}

/** Calls about triggers. */
export interface Triggers {
  /**
   * Registers a trigger. The same definition again changes nothing; a changed one becomes the next generation. When it
   * returns no partition can pass the trigger unseen, and steps that are staged already are being decided.
   *
   * @throws BadRequestError whose `field` is the path of the offending key; UnknownVariableError
   */
  register(definition: TriggerDefinitionInput, options?: CallOptions): Promise<RegisterReply>;
  /** @throws UnknownTriggerError */
  get(name: string, options?: CallOptions): Promise<TriggerReply>;
  list(options?: CallOptions & { readonly variable?: string }): Promise<readonly TriggerReply[]>;
  /** Its decisions stay readable. @throws UnknownTriggerError */
  delete(name: string, options?: CallOptions): Promise<TriggerDeleteReply>;
  /** Lets it decide again, also what is staged and undecided. @throws UnknownTriggerError */
  enable(name: string, options?: CallOptions): Promise<TriggerReply>;
  /** Stops it from deciding; windows hold nothing for it. @throws UnknownTriggerError */
  disable(name: string, options?: CallOptions): Promise<TriggerReply>;
  /** Evaluates a definition on staged steps; nothing is committed or acted upon. @throws as `register` */
  test(request: TriggerTestRequest): Promise<TriggerTestReply>;
  /** How a decision came about. @throws UnknownTriggerError; NotFoundError for a step that is not decided */
  explain(request: ExplainRequest): Promise<ExplainReply>;
  /** The decisions that there are, in the order in which they were committed. @throws UnknownTriggerError */
  decisions(request: DecisionsRequest): AsyncGenerator<DecisionReply, void, undefined>;
  /** Some of them, with the cursor that asks for the following ones. @throws UnknownTriggerError */
  decisionsPage(
    request: DecisionsRequest & { readonly limit?: number; readonly cursor?: string },
  ): Promise<DecisionsReply>;
  /** All decisions, then each one as it is committed, until the signal or the iteration ends it. */
  followDecisions(request: Omit<DecisionsRequest, 'timeoutMs'>): AsyncGenerator<DecisionReply, void, undefined>;
}

/** Evaluating reads the data of every step. */
const TEST_MS = 120_000;

/** The calls about triggers over a connection. */
export function triggerCalls(bus: Bus, call: Call): Triggers {
  const named =
    <T>(subject: string) =>
    (name: string, options: CallOptions = {}): Promise<T> =>
      call<T>(subject, { name }, options);
  const page: Triggers['decisionsPage'] = ({ timeoutMs, signal, ...body }) =>
    call<DecisionsReply>(PUBLIC.triggerDecisions, body, callOptions(timeoutMs, signal));
  return {
    register: (definition, options = {}) => call<RegisterReply>(PUBLIC.triggerRegister, definition, options),
    get: named<TriggerReply>(PUBLIC.triggerGet),
    list: async ({ variable, ...options } = {}) => {
      const body = variable === undefined ? {} : { variable };
      return (await call<TriggerListReply>(PUBLIC.triggerList, body, options)).triggers;
    },
    delete: named<TriggerDeleteReply>(PUBLIC.triggerDelete),
    enable: named<TriggerReply>(PUBLIC.triggerEnable),
    disable: named<TriggerReply>(PUBLIC.triggerDisable),
    test: ({ timeoutMs = TEST_MS, signal, ...body }) =>
      call<TriggerTestReply>(PUBLIC.triggerTest, body, callOptions(timeoutMs, signal), timeoutMs),
    explain: ({ timeoutMs, signal, ...body }) =>
      call<ExplainReply>(PUBLIC.triggerExplain, body, callOptions(timeoutMs, signal)),
    decisionsPage: page,
    async *decisions(request) {
      let cursor: string | undefined;
      do {
        const reply = await page({ ...request, limit: DECISIONS_LIMIT, ...(cursor !== undefined && { cursor }) });
        yield* reply.decisions;
        cursor = reply.cursor;
      } while (cursor !== undefined);
    },
    followDecisions: (request) => followDecisions(bus, request),
  };
}

function callOptions(timeoutMs: number | undefined, signal: AbortSignal | undefined): CallOptions {
  return { ...(timeoutMs !== undefined && { timeoutMs }), ...(signal && { signal }) };
}

async function* followDecisions(
  bus: Bus,
  { name, run = '*', from = 0, generation, signal }: Omit<DecisionsRequest, 'timeoutMs'>,
): AsyncGenerator<DecisionReply, void, undefined> {
  const [root = name] = name.split('~');
  const subject = decisionSubject({ root, generation: generation ?? '*', run, trigger: name });
  const options = { subject, from: 'all', ...(signal && { signal }) } as const;
  for await (const message of tail(bus, STREAMS.decisions.name, options)) {
    const decision = loggedDecision(message);
    if (decision === undefined) {
      bus.logger.warn({ subject: message.subject, sequence: message.sequence }, 'passed over what is no decision');
    } else if (decision.step >= from) yield decision;
  }
}

const utf8 = new TextDecoder();

/** The public part of a decision as it stands in the log. */
function loggedDecision({ data, sequence }: StreamMessage): DecisionReply | undefined {
  let logged: unknown;
  try {
    logged = JSON.parse(utf8.decode(data));
  } catch {
    return undefined;
  }
  const parsed = decisionReplySchema.safeParse(logged);
  if (!parsed.success) return undefined;
  const { failures, ...decision } = parsed.data;
  return { ...decision, ...(failures && Object.keys(failures).length > 0 && { failures }), sequence };
}
