import { ArrayShapeError } from './array-error.js';
import { type DType, itemSize } from './dtype.js';

interface TypedViews {
  readonly bool: Uint8Array;
  readonly int8: Int8Array;
  readonly int16: Int16Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly uint8: Uint8Array;
  readonly uint16: Uint16Array;
  readonly uint32: Uint32Array;
  readonly uint64: BigUint64Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly complex64: Float32Array;
  readonly complex128: Float64Array;
  readonly bytes: Uint8Array;
}

/**
 * The typed array of an element type. `bool` is a `Uint8Array` of 0 and 1; complex types are the float array of the
 * interleaved parts (real, imaginary, real, …), twice as long as there are cells; `bytes` stays as it is.
 */
export type TypedView<D extends DType = DType> = TypedViews[D];

interface ViewConstructor<View> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): View;
}

const CONSTRUCTORS: { readonly [D in DType]: ViewConstructor<TypedViews[D]> } = {
  bool: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
  bytes: Uint8Array,
};

/**
 * The cells of a packed array as the typed array of their type, over the same memory. Only bytes that do not start at
 * a multiple of the element's alignment (a payload inside a message, say) are copied, so write through the result only
 * where you own both. Hosts are taken to be little-endian, as is every platform that Node is released for bar one.
 *
 * @throws ArrayShapeError if `bytes` is no whole number of cells
 */
export function typedView<D extends DType>(bytes: Uint8Array, dtype: D): TypedView<D> {
  const cellBytes = itemSize(dtype);
  if (bytes.byteLength % cellBytes !== 0) {
    throw new ArrayShapeError(`expected a multiple of ${cellBytes} bytes for ${dtype}, got ${bytes.byteLength}`);
  }
  const Constructor = CONSTRUCTORS[dtype];
  const wordBytes = Constructor.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % wordBytes === 0 ? bytes : bytes.slice();
  return new Constructor(aligned.buffer, aligned.byteOffset, aligned.byteLength / wordBytes);
}
