/** Item sizes in bytes. Names as in the Zarr v3 core specification; `bytes` is Tidegate's opaque object. */
const ITEM_SIZES = {
  bool: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  float32: 4,
  float64: 8,
  complex64: 8,
  complex128: 16,
  bytes: 1,
} as const;

/** Element type of a variable. All are little-endian; complex numbers are (real, imaginary) pairs. */
export type DType = keyof typeof ITEM_SIZES;

/** All element types, in the order in which the documentation lists them. */
export const DTYPES = Object.freeze(Object.keys(ITEM_SIZES)) as readonly DType[];

/** Whether `x` names an element type. */
export function isDType(x: unknown): x is DType {
  return typeof x === 'string' && Object.hasOwn(ITEM_SIZES, x);
}

/**
 * Bytes per cell. An opaque `bytes` object answers 1, the unit of its length: its size has nothing to do with the
 * volume of its box, so ask `isOpaque` before multiplying by a volume.
 */
export function itemSize(dtype: DType): number {
  return ITEM_SIZES[dtype];
}

/** Whether a buffer of this type is placed and found by its box but never sliced (a VTK mesh, say). */
export function isOpaque(dtype: DType): boolean {
  return dtype === 'bytes';
}
