import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Names and sizes of every file below a folder, sorted by name. */
export async function filesBelow(
  folder: string,
): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sized = await Promise.all(
    files.map(async (path) => ({ name: path.slice(folder.length + 1), bytes: (await stat(path)).size })),
  );
  return sized.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The segments of the memory tiers below a folder. */
export async function segmentsBelow(
  folder: string,
): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  return (await filesBelow(folder)).filter(({ name }) => /(^|\/)segment-\d+$/.test(name));
}
