import { open } from 'node:fs/promises';
import { decodeNpy, isOpaque } from '@tidegate/array';
import { boxOfShape, formatBox, parseBox, shapeOf } from '@tidegate/geometry';
import { BadRequestError, type VariableRecord } from '@tidegate/protocol';

/** Bytes asked of the system at a time. */
const READ_BYTES = 64 << 20;

/** A whole file, or standard input for `-`. Unlike `readFile` it takes files above 2 GiB. */
export async function readInput(path: string): Promise<Uint8Array> {
  if (path === '-') return readAll(process.stdin);
  const file = await open(path, 'r');
  try {
    const info = await file.stat();
    if (!info.isFile()) return await readAll(file.createReadStream({ autoClose: false }));
    const bytes = new Uint8Array(info.size);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, Math.min(READ_BYTES, bytes.length - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * The packed cells of a file for a box of a variable: a `.npy` file's data, or the file as it is for an opaque variable.
 *
 * @param box text form; the whole domain where it is absent
 * @throws BadRequestError, with what was expected and what came, where element type or shape are not the box's;
 *   NpyFormatError
 */
export function cellsOf(file: Uint8Array, variable: VariableRecord, box: string | undefined): Uint8Array {
  if (isOpaque(variable.dtype)) return file;
  const { bytes, dtype, shape } = decodeNpy(file);
  const region = box === undefined ? boxOfShape(variable.shape) : parseBox(box);
  const expected = shapeOf(region);
  if (dtype !== variable.dtype) {
    throw new BadRequestError(
      'file',
      `expected ${variable.dtype} as variable "${variable.name}" has, got a .npy of ${dtype}`,
    );
  }
  if (expected.length !== shape.length || expected.some((extent, axis) => extent !== shape[axis])) {
    throw new BadRequestError(
      'file',
      `expected shape (${expected.join(', ')}) for box ${formatBox(region)}, got a .npy of shape (${shape.join(', ')})`,
    );
  }
  return bytes;
}
