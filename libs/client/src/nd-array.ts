import { type DType, type TypedView, typedView } from '@tidegate/array';
import type { Box } from '@tidegate/geometry';

/** An array as a get returns it. */
export interface NdArray<D extends DType = DType> {
  readonly variable: string;
  readonly run: string;
  readonly step: number;
  readonly epoch: number;
  /** Region of the domain that `bytes` holds. */
  readonly box: Box;
  readonly shape: readonly number[];
  readonly dtype: D;
  /** Packed, row-major, little-endian. */
  readonly bytes: Uint8Array;
  /** The same memory as numbers; complex numbers as pairs, bool as 0 and 1. */
  readonly data: TypedView<D>;
}

/** The bytes of what a caller puts, without a copy. */
export function bytesOf(data: ArrayBufferView | ArrayBuffer): Uint8Array {
  if (data instanceof Uint8Array) return data;
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Adds the typed view to the parts of an array. */
export function ndArray(parts: Omit<NdArray, 'data'>): NdArray {
  return { ...parts, data: typedView(parts.bytes, parts.dtype) };
}
