import { encode } from '@msgpack/msgpack';
import { type Box, parseBox, shapeOf, volume } from '@tidegate/geometry';
import { type PieceData, parseRoundSpec } from '@tidegate/kernels';
import type { KernelPool } from '@tidegate/kernels/pool';
import type { CheckPiece, CheckRequest, CheckResult } from '@tidegate/protocol';
import { bodyOf, type FakePartition, type FakeStaging } from './fake-staging.js';

/** Value of a cell by its global coordinates. */
export type Field = (coordinates: readonly number[]) => number;

/** Packs a field over a box as float64, row-major. */
export function cellsOf(box: Box, field: Field): Float64Array {
  const shape = shapeOf(box);
  return Float64Array.from({ length: volume(box) }, (_, index) => {
    const coordinates: number[] = [];
    let rest = index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1;
      coordinates[axis] = (box.lower[axis] ?? 0) + (rest % size);
      rest = Math.floor(rest / size);
    }
    return field(coordinates);
  });
}

/** Has fake raw-services run checks on what is staged, for real; the field of a step is the test's. */
export class ComputingRaw {
  requests: CheckRequest[] = [];
  /** What becomes of a piece instead of being checked. */
  instead: (piece: CheckPiece) => CheckResult | undefined = () => undefined;
  readonly #staging: FakeStaging;
  readonly #pool: KernelPool;
  readonly #field: (step: number) => Field;

  constructor({
    staging,
    pool,
    field,
    raws,
  }: {
    staging: FakeStaging;
    pool: KernelPool;
    field: (step: number) => Field;
    raws: readonly string[];
  }) {
    this.#staging = staging;
    this.#pool = pool;
    this.#field = field;
    for (const raw of raws) this.serve(raw);
  }

  /** Begins to answer checks as this raw-service. */
  serve(raw: string): void {
    this.#staging.raw(raw, 'check', async (incoming) => {
      const request = bodyOf<CheckRequest>(incoming);
      this.requests.push(request);
      return encode({ results: await Promise.all(request.pieces.map((piece) => this.#check(raw, request, piece))) });
    });
  }

  async #check(raw: string, { round }: CheckRequest, piece: CheckPiece): Promise<CheckResult> {
    const other = this.instead(piece);
    if (other !== undefined) return other;
    const data = this.#dataOf(piece.id);
    if (data === undefined || data.raw !== raw) return { gone: true };
    const previous = piece.previous?.map((part) => {
      const found = this.#dataOf(part.id);
      if (found === undefined) throw new Error(`${part.id} is not staged`);
      return { ...found.data, piece: parseBox(part.box) };
    });
    const partial = await this.#pool.check(
      {
        spec: parseRoundSpec(round),
        piece: parseBox(piece.box),
        data: data.data,
        ...(previous && { previous }),
      },
      {},
    );
    return { partial };
  }

  #dataOf(id: string): { readonly raw: string; readonly data: PieceData } | undefined {
    const found = this.#staging.partitions.find((partition: FakePartition) => partition.id === id);
    if (found === undefined) return undefined;
    const cells = cellsOf(found.box, this.#field(found.step));
    return { raw: found.raw, data: { box: found.box, bytes: new Uint8Array(cells.buffer) } };
  }
}
