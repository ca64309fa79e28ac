import { controlHandler, type EndpointSpec, monotonicNow } from '@tidegate/bus';
import {
  boxBytes,
  boxWithin,
  findCovered,
  type PlannedPiece,
  planRegion,
  type VariableHandle,
} from '@tidegate/client/region';
import { formatBox } from '@tidegate/geometry';
import {
  ENDPOINTS,
  encodeBody,
  type PieceReply,
  pinKey,
  type QueryReply,
  type QueryRequest,
  querySchema,
  STEPS_LIMIT,
  type StepSummary,
  type StepsReply,
  type StepsRequest,
  stepsRequestSchema,
  TooLargeError,
} from '@tidegate/protocol';
import { type Coordinator, declared, endpoint, OWNERS_MS, stagedSteps } from './coordinator.js';
import { joinParts } from './pieces.js';
import { PIECES_LIMIT } from './step-plan.js';

/** Requests that may wait at a time. */
const WAITING_LIMIT = 65_536;

/** `query` and `steps`: what is staged. */
export function queryEndpoints(coordinator: Coordinator): EndpointSpec[] {
  return [
    endpoint(
      ENDPOINTS.query,
      controlHandler(querySchema, (request) => query(coordinator, request)),
      WAITING_LIMIT,
    ),
    endpoint(
      ENDPOINTS.steps,
      controlHandler(stepsRequestSchema, (request) => steps(coordinator, request)),
      WAITING_LIMIT,
    ),
  ];
}

/** `tide.v1.query` */
export async function query(coordinator: Coordinator, request: QueryRequest): Promise<QueryReply> {
  const variable = await declared(coordinator, request.variable);
  const box = boxWithin(variable, request.box);
  const waitUntil = monotonicNow() + request.wait;
  const region = { variable, run: request.run, step: request.step, box };
  const plan = await planRegion(coordinator.router, region, {
    waitUntil,
    deadline: waitUntil + OWNERS_MS,
    signal: coordinator.signal,
  });
  const { covered, epoch, missing, missingCount } = plan;
  const pieces = pieceReplies(variable, plan.pieces);
  const reply = { covered, epoch, pieces, missing, missingCount };
  const { maxPayload } = coordinator.bus;
  if (pieces.length > PIECES_LIMIT || encodeBody(reply, 'json').length > maxPayload) {
    throw new TooLargeError(
      `expected at most ${PIECES_LIMIT} pieces that fit one message, got ${pieces.length}: ask for a smaller box`,
      maxPayload,
    );
  }
  return reply;
}

function pieceReplies(variable: VariableHandle, pieces: readonly PlannedPiece[]): PieceReply[] {
  if (variable.record.dtype === 'bytes') {
    const objects = new Map(pieces.map((piece) => [piece.id, piece]));
    return [...objects.values()].map((piece) => pieceReply(piece, piece.bytes));
  }
  return joinParts(pieces).map((piece) => pieceReply(piece, boxBytes(variable, piece.box)));
}

function pieceReply({ id, box, raw, tier }: PlannedPiece, bytes: number): PieceReply {
  return { id, box: formatBox(box), bytes, rawService: raw, tier };
}

/** `tide.v1.steps` */
export async function steps(coordinator: Coordinator, request: StepsRequest): Promise<StepsReply> {
  const { run, after = -1, wait } = request;
  const variable = await declared(coordinator, request.variable);
  const waitUntil = monotonicNow() + wait;
  const range = `${after + 1}:${Number.MAX_SAFE_INTEGER}`;
  const list = () => stagedSteps(coordinator, variable, { run, steps: range }, monotonicNow() + OWNERS_MS);
  let staged = await list();
  if (wait > 0 && !staged.steps.some((step) => step.covered)) {
    const search = { variable, run, box: variable.domain, search: { firstAbove: after } };
    const { router, signal } = coordinator;
    await findCovered(router, search, { waitUntil, deadline: waitUntil + OWNERS_MS, signal });
    staged = await list();
  }
  const more = staged.more || staged.steps.length > STEPS_LIMIT;
  const told = staged.steps.slice(0, STEPS_LIMIT).map((step) => stepReply(coordinator, request, step));
  return more ? { steps: told, more } : { steps: told };
}

function stepReply(
  { state }: Coordinator,
  { variable, run }: StepsRequest,
  summary: StepSummary,
): StepsReply['steps'][number] {
  const { step, covered, partitions, bytes, onDisk } = summary;
  const pinned = state.pins.cache.get(pinKey(variable, run, step)) !== undefined;
  return { step, covered, partitions, bytes, tier: onDisk === 0 ? 'memory' : 'disk', pinned };
}
