import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeNpyHeader } from '@tidegate/array';
import type { NdArray, StoredObject } from '@tidegate/client';
import { formatBox } from '@tidegate/geometry';
import { UsageError } from './usage-error.js';

/** Writes an array as `.npy` to a file, or to standard output for `-`. */
export async function writeArray(
  path: string,
  { dtype, shape, bytes }: Pick<NdArray, 'dtype' | 'shape' | 'bytes'>,
): Promise<void> {
  const header = encodeNpyHeader(dtype, shape);
  if (path === '-') {
    await writeOut(header);
    await writeOut(bytes);
    return;
  }
  const file = await open(path, 'w');
  try {
    await file.writeFile(header);
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}

/**
 * Writes opaque objects: one to a file or standard output, any number into a folder, named by their boxes.
 *
 * @returns the files, in the order of the objects
 * @throws UsageError for several objects and no folder
 */
export async function writeObjects(path: string, objects: readonly StoredObject[]): Promise<readonly string[]> {
  if (path !== '-' && (await isFolder(path))) {
    const files = objects.map(({ box }) =>
      join(path, `${formatBox(box).replaceAll(':', '-').replaceAll(',', '_')}.bin`),
    );
    for (const [at, { bytes }] of objects.entries()) await writeFile(files[at] ?? '', bytes);
    return files;
  }
  const [only] = objects;
  if (!only || objects.length > 1) {
    throw new UsageError('output', `expected -o to name a folder for ${objects.length} objects, got ${path}`);
  }
  if (path === '-') await writeOut(only.bytes);
  else await writeFile(path, only.bytes);
  return [path];
}

function writeOut(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

async function isFolder(path: string): Promise<boolean> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return info?.isDirectory() ?? false;
}
