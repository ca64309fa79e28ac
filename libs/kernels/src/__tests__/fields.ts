import { type DType, extractBox, itemSize, typedView } from '@tidegate/array';
import { type Box, volume } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import type { SeededRandom } from '@tidegate/testing';
import { type CheckResult, CheckRun } from '../check-run.js';
import { type CheckTask, type CheckTools, runCheck } from '../check-task.js';
import { FileCache } from '../file-cache.js';
import { KernelInstance } from '../kernel-instance.js';
import { encodeBuiltIn, encodeOutcomes } from '../piece-result.js';
import { parseRoundSpec } from '../round-spec.js';

/** Real dtypes: those that checks read. */
export const REAL_DTYPES = [
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'float32',
  'float64',
] as const;

export const tools: CheckTools = { kernels: new KernelInstance(), files: new FileCache({ now: () => 0 }) };

/** An array over a box of a domain. */
export interface Field {
  readonly dtype: DType;
  readonly box: Box;
  readonly bytes: Uint8Array;
}

/** The cells as numbers, in row-major order; 64-bit integers as bigint. */
export function cellsOf({ dtype, bytes }: Field): (number | bigint)[] {
  return Array.from(typedView(bytes, dtype) as ArrayLike<number | bigint>);
}

/** A field whose cells come from `cell`. */
export function fieldOf(dtype: DType, box: Box, cell: (at: number) => number | bigint): Field {
  const cells = volume(box);
  const bytes = new Uint8Array(cells * itemSize(dtype));
  const view = typedView(bytes, dtype) as { [at: number]: number | bigint };
  for (let at = 0; at < cells; at++) view[at] = cell(at);
  return { dtype, box, bytes };
}

/** A box cut by random planes: pieces of any size, slivers among them, in random order. */
export function randomTiling(random: SeededRandom, box: Box, cuts: number): Box[] {
  const pieces = [box];
  for (let cut = 0; cut < cuts; cut++) {
    const at = random.int(0, pieces.length);
    const piece = pieces[at] as Box;
    const d = random.int(0, piece.lower.length);
    const lower = piece.lower[d] as number;
    const upper = piece.upper[d] as number;
    if (upper - lower < 2) continue;
    const middle = random.int(lower + 1, upper);
    pieces.splice(at, 1, { lower: piece.lower, upper: piece.upper.with(d, middle) });
    pieces.push({ lower: piece.lower.with(d, middle), upper: piece.upper });
  }
  return random.shuffle(pieces);
}

/** The cells of a piece of a field, packed. */
export function cut(field: Field, piece: Box): Uint8Array {
  return extractBox(field.bytes, field.box, piece, itemSize(field.dtype));
}

/** Runs checks on a field that is cut into pieces; every description goes through JSON, as by the wire. */
export function runChecks(
  checks: Readonly<Record<string, CheckDefinition>>,
  {
    field,
    pieces,
    shape = field.box.upper,
    previous,
  }: { field: Field; pieces: readonly Box[]; shape?: readonly number[]; previous?: CheckTask['previous'] },
): CheckResult & { rounds: number } {
  const run = new CheckRun({ checks, dtype: field.dtype, shape, box: field.box });
  let rounds = 0;
  for (let next = run.next(); next !== undefined; next = run.next()) {
    rounds++;
    const spec = parseRoundSpec(JSON.parse(JSON.stringify(next)));
    run.accept(
      pieces.map((piece, at) => {
        // Pieces are found in whole partitions and in larger ones.
        const whole = at % 2 === 0;
        const data = whole ? { box: piece, bytes: cut(field, piece) } : { box: field.box, bytes: field.bytes };
        const result = runCheck({ spec, piece, data, ...(previous && { previous }) }, tools);
        const outcomes = encodeOutcomes(spec.wasm.map(() => ({ failure: 'no user kernels here' })));
        return { box: piece, partial: Buffer.concat([encodeBuiltIn(spec, result), outcomes]) };
      }),
    );
  }
  return { ...run.result(), rounds };
}
