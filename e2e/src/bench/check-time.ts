import { decode } from '@msgpack/msgpack';
import { type Box, formatBox, parseBox } from '@tidegate/geometry';
import { CheckRun } from '@tidegate/kernels';
import { type CheckPiece, type CheckReply, type CheckRequest, encodeBody, rawSubject } from '@tidegate/protocol';
import type { BenchCluster } from './bench-cluster.js';
import { watchFired } from './fired-clock.js';
import { median, quantile } from './stats.js';

/** Milliseconds of the checks of one step. */
export interface CheckTimeRow {
  readonly partitions: number;
  readonly bytes: number;
  /** The requests to the raw-services and the merge of their answers alone. */
  readonly check: number;
  readonly checkWorst: number;
  /** From the acknowledgement of the last put to the delivery of the event. */
  readonly event: number;
  readonly eventWorst: number;
  readonly gigabytesPerSecond: number;
}

const VARIABLE = 'bench_check';
const CHECKS = {
  mn: { reduce: 'min' },
  mx: { reduce: 'max' },
  mean: { reduce: 'mean' },
  bad: { reduce: 'nan_count' },
} as const;
const EDGE = 64;
const SIDE = 4;
const SHAPE = [EDGE * SIDE, EDGE * SIDE, EDGE * SIDE];
const PARTITIONS = SIDE ** 3;
const BYTES = PARTITIONS * EDGE ** 3 * 8;
const WARM_UP = 3;
const TIMEOUT_MS = 20_000;
/** Checks of a step that is staged. */
const REPEATS = 3;

/** Memory that a raw-service needs: the step that is put, and the one that is being dropped. */
export const CHECK_MEMORY_BYTES = 8 * BYTES;

/** 64 partitions of 64^3 float64: minimum, maximum, mean and number of NaN of all of them, by a trigger and alone. */
export async function benchCheckTime({ tide, nats }: BenchCluster, rounds: number): Promise<CheckTimeRow[]> {
  await tide.declare({ name: VARIABLE, dtype: 'float64', shape: SHAPE, window: 1000 });
  await tide.triggers.register({
    name: VARIABLE,
    on: { variable: VARIABLE },
    check: CHECKS,
    compare: { condition: 'mx > mn && mean > 0.0 && bad == 0' },
  });
  const clock = watchFired(tide, VARIABLE);
  const data = new Float64Array(EDGE ** 3).map((_, at) => 1 + Math.sin(at * 0.001));
  const boxes = Array.from({ length: PARTITIONS }, (_, at) => formatBox(blockOf(at)));
  const [checks, events]: [number[], number[]] = [[], []];
  try {
    for (let round = -WARM_UP; round < rounds; round++) {
      const step = round + WARM_UP;
      for (const box of boxes) await tide.put({ variable: VARIABLE, step, box, data });
      const acknowledged = performance.now();
      const event = Math.max(0, (await clock.delivered(step)) - acknowledged);
      const { pieces } = await tide.query({ variable: VARIABLE, step });
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        const begin = performance.now();
        await check(
          nats,
          pieces.map(({ id, box, rawService }) => ({ id, box, raw: rawService }) as CheckPiece),
        );
        if (round >= 0) checks.push(performance.now() - begin);
      }
      await tide.delete({ variable: VARIABLE, steps: step });
      if (round >= 0) events.push(event);
    }
  } finally {
    await clock.stop();
    await tide.deleteVariable(VARIABLE);
  }
  const time = median(checks);
  return [
    {
      partitions: PARTITIONS,
      bytes: BYTES,
      check: time,
      checkWorst: quantile(checks, 1),
      event: median(events),
      eventWorst: quantile(events, 1),
      gigabytesPerSecond: BYTES / time / 1e6,
    },
  ];
}

function blockOf(at: number): Box {
  const lower = [Math.floor(at / SIDE ** 2), Math.floor(at / SIDE) % SIDE, at % SIDE].map((place) => place * EDGE);
  return { lower, upper: lower.map((place) => place + EDGE) };
}

/** What an engine does for a step whose pieces it knows. @throws Error where a value is not what was put */
async function check(nats: BenchCluster['nats'], pieces: readonly CheckPiece[]): Promise<void> {
  const box = { lower: SHAPE.map(() => 0), upper: SHAPE };
  const run = new CheckRun({ checks: CHECKS, dtype: 'float64', shape: SHAPE, box });
  const byRaw = Map.groupBy(pieces, ({ raw }) => raw);
  for (let round = run.next(); round !== undefined; round = run.next()) {
    const spec = round;
    const answers = await Promise.all(
      Array.from(byRaw, async ([raw, held]) => {
        const request: CheckRequest = { variable: VARIABLE, round: spec, pieces: held, deadlineMs: TIMEOUT_MS };
        const reply = await nats.request(rawSubject(raw, 'check'), encodeBody(request, 'json'), {
          timeout: TIMEOUT_MS,
        });
        const { results } = decode(reply.data) as CheckReply;
        return held.map((piece, at) => {
          const result = results[at];
          if (!result || !('partial' in result)) throw new Error(`piece ${piece.id}: ${JSON.stringify(result)}`);
          return { box: parseBox(piece.box), partial: result.partial };
        });
      }),
    );
    run.accept(answers.flat());
  }
  const { values, failures } = run.result();
  if (failures.size > 0 || values.get('bad') !== 0) throw new Error('the checks came to nothing');
}
