import { NpyFormatError } from './array-error.js';
import { type DType, itemSize } from './dtype.js';

// Format: NumPy Enhancement Proposal 1 and numpy.lib.format. "\x93NUMPY", version, header length (u16 in version 1.0,
// u32 in 2.0 and 3.0), a Python dict literal padded with spaces so that the data is aligned, then the data.

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;
const ALIGNMENT = 64;
/** Longest header that is read: 32 extents need less than 1 KiB, so anything larger is damage. */
const MAX_HEADER_BYTES = 65_535;

const DESCRIPTORS: Readonly<Record<Exclude<DType, 'bytes'>, string>> = {
  bool: '|b1',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  float32: '<f4',
  float64: '<f8',
  complex64: '<c8',
  complex128: '<c16',
};
/** By kind and size: a single byte may carry any byte order. */
const BY_CODE: ReadonlyMap<string, DType> = new Map(
  Object.entries(DESCRIPTORS).map(([dtype, descriptor]) => [descriptor.slice(1), dtype as DType]),
);

/** What a `.npy` header says of the data behind it. */
export interface NpyHeader {
  readonly dtype: DType;
  /** Extents; empty for a scalar. */
  readonly shape: readonly number[];
  /** True if the first dimension is the fastest; Tidegate writes and stages the other order. */
  readonly fortranOrder: boolean;
  /** Byte offset of the data in the file. */
  readonly dataOffset: number;
}

/**
 * The header of a `.npy` file in version 1.0, row-major, little-endian; its length is a multiple of 64 bytes, so the
 * data can be mapped or viewed in place.
 *
 * @throws NpyFormatError for opaque `bytes`, which has no `.npy` form, or a shape that is no list of extents
 */
export function encodeNpyHeader(dtype: DType, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  if (dtype === 'bytes') {
    throw new NpyFormatError('opaque', 'expected an element type with a .npy form, got opaque bytes');
  }
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw new NpyFormatError('header', `expected non-negative integer extents, got (${shape.join(', ')})`);
  }
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${DESCRIPTORS[dtype]}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const prefixBytes = MAGIC.length + 4;
  const totalBytes = Math.ceil((prefixBytes + dict.length + 1) / ALIGNMENT) * ALIGNMENT;
  const headerBytes = totalBytes - prefixBytes;
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new NpyFormatError('header', `expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${headerBytes}`);
  }
  const header = new Uint8Array(totalBytes);
  header.set(MAGIC);
  header.set([1, 0, headerBytes & 0xff, headerBytes >>> 8], MAGIC.length);
  new TextEncoder().encodeInto(`${dict.padEnd(headerBytes - 1)}\n`, header.subarray(prefixBytes));
  return header;
}

/**
 * Reads the header of a `.npy` file of version 1.0, 2.0 or 3.0. `bytes` need not hold the data.
 *
 * @throws NpyFormatError with the `fault` that was found
 */
export function parseNpyHeader(bytes: Uint8Array): NpyHeader {
  for (let i = 0; i < MAGIC.length; i++) {
    if (i >= bytes.length) throw truncated(MAGIC.length + 4, bytes.length);
    if (bytes[i] !== MAGIC[i]) {
      throw new NpyFormatError('magic', 'expected a .npy file (first bytes \\x93NUMPY), got something else');
    }
  }
  const lengthAt = MAGIC.length + 2;
  if (bytes.length < lengthAt) throw truncated(lengthAt, bytes.length);
  const major = bytes[MAGIC.length] ?? 0;
  const minor = bytes[MAGIC.length + 1] ?? 0;
  if (major < 1 || major > 3 || minor !== 0) {
    throw new NpyFormatError('version', `expected .npy version 1.0, 2.0 or 3.0, got ${major}.${minor}`);
  }
  const dictAt = lengthAt + (major === 1 ? 2 : 4);
  if (bytes.length < dictAt) throw truncated(dictAt, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = major === 1 ? view.getUint16(lengthAt, true) : view.getUint32(lengthAt, true);
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new NpyFormatError('header', `expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${headerBytes}`);
  }
  const dataOffset = dictAt + headerBytes;
  if (bytes.length < dataOffset) throw truncated(dataOffset, bytes.length);
  const text = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(dictAt, dataOffset));
  return { ...parseDict(text), dataOffset };
}

/**
 * A whole `.npy` file: header and data, copied once.
 *
 * @param bytes packed row-major little-endian cells
 * @throws NpyFormatError if `bytes` has not the size of `shape`, or as `encodeNpyHeader`
 */
export function encodeNpy(bytes: Uint8Array, dtype: DType, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const header = encodeNpyHeader(dtype, shape);
  const expected = shape.reduce((volume, extent) => volume * extent, itemSize(dtype));
  if (bytes.byteLength !== expected) {
    throw new NpyFormatError(
      'size',
      `expected ${expected} bytes for ${dtype} of shape (${shape.join(', ')}), got ${bytes.byteLength}`,
    );
  }
  const file = new Uint8Array(header.length + bytes.length);
  file.set(header);
  file.set(bytes, header.length);
  return file;
}

/**
 * Reads a whole `.npy` file. `bytes` of the answer is a view into `file`.
 *
 * @throws NpyFormatError with the `fault` that was found: Fortran order (unless at most one extent exceeds 1, where both
 *   orders are the same), big-endian or unsupported element types, too few bytes, or bytes behind the data
 */
export function decodeNpy(file: Uint8Array): { bytes: Uint8Array; dtype: DType; shape: readonly number[] } {
  const { dtype, shape, fortranOrder, dataOffset } = parseNpyHeader(file);
  if (fortranOrder && shape.filter((extent) => extent > 1).length > 1) {
    throw new NpyFormatError(
      'fortran-order',
      `expected row-major data, got Fortran order of shape (${shape.join(', ')}); save numpy.ascontiguousarray(a)`,
    );
  }
  const expected = shape.reduce((volume, extent) => volume * extent, itemSize(dtype));
  const actual = file.byteLength - dataOffset;
  if (actual < expected) throw truncated(dataOffset + expected, file.byteLength);
  if (actual > expected) {
    throw new NpyFormatError('size', `expected ${expected} bytes of data, got ${actual}`);
  }
  return { bytes: file.subarray(dataOffset), dtype, shape };
}

function truncated(expected: number, actual: number): NpyFormatError {
  return new NpyFormatError('truncated', `expected at least ${expected} bytes of .npy, got ${actual}`);
}

/** One `key: value` of the dict with what follows it; values are a string, a boolean, a tuple of integers, or a list. */
const ENTRY = /\s*(['"])(\w+)\1\s*:\s*(?:'([^']*)'|"([^"]*)"|(True|False)|\(([\d\s,L]*)\)|(\[.*\]))\s*(,\s*\}|,|\})/y;

function parseDict(text: string): Omit<NpyHeader, 'dataOffset'> {
  const malformed = () =>
    new NpyFormatError('header', `expected a dict of descr, fortran_order and shape, got ${text.trim().slice(0, 200)}`);
  let descriptor: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: readonly number[] | undefined;
  const open = /^\s*\{/.exec(text);
  if (open === null) throw malformed();
  let at = open[0].length;
  for (let closed = false; !closed; ) {
    ENTRY.lastIndex = at;
    const entry = ENTRY.exec(text);
    if (entry === null) throw malformed();
    at = ENTRY.lastIndex;
    const [, , key, single, double, boolean, tuple, list, separator] = entry;
    if (key === 'descr' && descriptor === undefined) descriptor = single ?? double ?? list;
    else if (key === 'fortran_order' && fortranOrder === undefined && boolean) fortranOrder = boolean === 'True';
    else if (key === 'shape' && shape === undefined && tuple !== undefined) shape = parseTuple(tuple);
    else throw malformed();
    closed = separator !== ',';
  }
  if (descriptor === undefined || fortranOrder === undefined || shape === undefined) throw malformed();
  if (text.slice(at).trim() !== '') throw malformed();
  return { dtype: dtypeOf(descriptor), shape, fortranOrder };
}

/** Extents of a tuple without its parentheses; undefined unless it is one (`3` is not, `3,` is). */
function parseTuple(text: string): readonly number[] | undefined {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  else if (parts.length === 1) return undefined;
  // Python 2 wrote long integers with a suffix.
  const extents = parts.map((part) => (/^\d+L?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN));
  return extents.every(Number.isSafeInteger) ? extents : undefined;
}

function dtypeOf(descriptor: string): DType {
  const order = descriptor[0];
  const dtype = /^[<>|=]/.test(descriptor) ? BY_CODE.get(descriptor.slice(1)) : undefined;
  if (dtype === undefined) {
    throw new NpyFormatError(
      'dtype',
      `expected one of ${Object.values(DESCRIPTORS).join(' ')}, got ${descriptor.slice(0, 100)}`,
    );
  }
  if (order === '>' && itemSize(dtype) > 1) {
    throw new NpyFormatError(
      'big-endian',
      `expected little-endian data, got ${descriptor}; save a.astype(a.dtype.newbyteorder('<'))`,
    );
  }
  return dtype;
}
