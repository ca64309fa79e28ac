import { type DType, isOpaque } from '@tidegate/array';
import { type Box, contains, equals, formatBox, volume } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import { ByteFormatError } from './byte-stream.js';
import { type CheckPlan, planChecks } from './check-plan.js';
import { type CheckValue, checkedBox, checkValue } from './check-value.js';
import { compareCoordinates, type ResultPiece } from './merged-result.js';
import { decodePieceResult, type Failure, type PieceResult } from './piece-result.js';
import { DIGITS, QuantileSearch } from './quantile-search.js';
import { derived, type RoundSpec } from './round-spec.js';

/** A piece of the box, with what a raw-service computed of it (encoded) or why it could not. */
export interface CheckedPiece {
  readonly box: Box;
  readonly partial: Uint8Array | Failure;
}

/** The values of one piece alone. */
export interface CheckPart {
  /** Text form. */
  readonly box: string;
  readonly values: Map<string, CheckValue>;
}

export interface CheckResult {
  readonly values: Map<string, CheckValue>;
  /** Why a check has no value, on one line. */
  readonly failures: Map<string, string>;
  /** In box order. */
  readonly parts: CheckPart[];
}

/**
 * The checks of one box at one step: says what the raw-services have to compute of every piece and puts their answers
 * together. Pure; results depend on neither the order of the answers nor (beyond what kernels of users do) on
 * how the box is cut into pieces.
 */
export class CheckRun {
  readonly #plan: CheckPlan;
  readonly #box: Box;
  readonly #search: QuantileSearch;
  #round: RoundSpec | undefined;
  #pieces: ResultPiece[] = [];
  #failure: string | undefined;

  /**
   * @param options.checks valid for the dtype and rank; `call` checks are not looked at
   * @param options.shape the variable's domain
   * @param options.box what is checked
   */
  constructor({
    checks,
    dtype,
    shape,
    box,
  }: {
    checks: Readonly<Record<string, CheckDefinition>>;
    dtype: DType;
    shape: readonly number[];
    box: Box;
  }) {
    if (shape.length !== box.lower.length) {
      throw new RangeError(`expected a box of ${shape.length} dimensions, got ${formatBox(box)}`);
    }
    this.#box = box;
    this.#plan = planChecks(checks, { dtype, box });
    const { spec, readers } = this.#plan;
    this.#search = new QuantileSearch(dtype, spec.quantiles);
    if (readers.size === 0) return;
    if (isOpaque(dtype)) this.#failure = 'the variable has dtype bytes, which has no cells';
    else this.#round = spec;
  }

  /** What is to be computed of every piece now; undefined when all is known. Plain JSON. */
  next(): RoundSpec | undefined {
    return this.#round;
  }

  /**
   * Takes the answers to `next()`: one for each piece of a tiling of the box, which is the same in every round. Answers
   * that are missing or malformed fail the checks, they do not throw.
   */
  accept(pieces: readonly CheckedPiece[]): void {
    const spec = this.#round;
    if (spec === undefined) throw new RangeError('there is no round to accept: next() is undefined');
    const sorted = [...pieces].sort((a, b) => compareCoordinates(a.box.lower, b.box.lower));
    this.#round = undefined;
    const problem = this.#tilingProblem(sorted, spec.round);
    if (problem !== undefined) {
      this.#failure = problem;
      return;
    }
    const results = sorted.map(({ box, partial }) => ({ box, result: this.#read(spec, box, partial) }));
    const known = results.filter((piece): piece is ResultPiece => piece.result !== undefined);
    // Digits are of use in their own round only.
    if (spec.round === 0) this.#pieces = known.map(({ box, result }) => ({ box, result: { ...result, digits: [] } }));
    if (this.#failure !== undefined || known.length === 1) return;
    this.#narrow(
      known.map(({ result }) => result),
      spec,
    );
  }

  #tilingProblem(sorted: readonly CheckedPiece[], round: number): string | undefined {
    const outside = sorted.find(({ box }) => !contains(this.#box, box));
    if (outside !== undefined) return `piece ${formatBox(outside.box)} is not inside ${formatBox(this.#box)}`;
    let cells = 0;
    for (const { box } of sorted) cells += volume(box);
    if (cells !== volume(this.#box)) return `the pieces have ${cells} of the ${volume(this.#box)} cells of the box`;
    if (round === 0) return undefined;
    const isSame =
      sorted.length === this.#pieces.length &&
      sorted.every(({ box }, at) => equals(box, this.#pieces[at]?.box ?? this.#box));
    return isSame ? undefined : 'the box was cut otherwise in the round before';
  }

  #read(spec: RoundSpec, box: Box, partial: Uint8Array | Failure): PieceResult | undefined {
    try {
      if (!('failure' in partial)) return decodePieceResult(spec, box, partial);
      this.#failure ??= `piece ${formatBox(box)}: ${partial.failure}`;
    } catch (error) {
      if (!(error instanceof ByteFormatError)) throw error;
      this.#failure ??= `piece ${formatBox(box)}: malformed result, ${error.message}`;
    }
    return undefined;
  }

  /** Looks closer at the quantiles of the whole box, where there are any. */
  #narrow(results: readonly PieceResult[], spec: RoundSpec): void {
    if (spec.digits.length === 0) return;
    this.#search.accept(
      spec.digits.map((_, at) => {
        const sums = new Float64Array(DIGITS);
        for (const result of results) {
          const { digits, counts } = result.digits[at] ?? { digits: [], counts: [] };
          for (let i = 0; i < digits.length; i++) {
            const digit = digits[i] ?? 0;
            sums[digit] = (sums[digit] ?? 0) + (counts[i] ?? 0);
          }
        }
        return sums;
      }),
    );
    const digits = this.#search.queries();
    if (digits.length === 0) return;
    const rest = { positions: false, ranges: [], histograms: [], quantiles: [], components: [], wasm: [] };
    const { round, dtype, box } = spec;
    this.#round = { round: round + 1, dtype, box, ...rest, digits, ...derived({ wasm: [], difference: undefined }) };
  }

  /** What is known: all of it once `next()` is undefined. */
  result(): CheckResult {
    const { spec, readers } = this.#plan;
    const values = new Map<string, CheckValue>();
    const failures = new Map<string, string>();
    const parts = this.#pieces.map(({ box, result }) => {
      const part = { box: formatBox(box), values: new Map<string, CheckValue>() };
      const checked = checkedBox({ spec, box, pieces: [{ box, result }], quantiles: result.quantiles });
      for (const [name, reader] of readers) {
        const value = checkValue(reader, checked);
        if (!isFailure(value)) part.values.set(name, value);
      }
      return part;
    });
    const problem = this.#failure ?? (this.#round === undefined ? undefined : 'it is not computed yet');
    const [first] = this.#pieces;
    const quantiles =
      this.#pieces.length === 1 && first !== undefined
        ? first.result.quantiles
        : problem === undefined
          ? this.#search.values()
          : [];
    const checked = checkedBox({ spec, box: this.#box, pieces: this.#pieces, quantiles });
    for (const [name, reader] of readers) {
      const value = problem === undefined ? checkValue(reader, checked) : { failure: problem };
      if (isFailure(value)) failures.set(name, value.failure);
      else values.set(name, value);
    }
    return { values, failures, parts };
  }
}

function isFailure(value: CheckValue | Failure): value is Failure {
  return typeof value === 'object' && 'failure' in value;
}
