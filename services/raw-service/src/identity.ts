import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newIncarnation } from '@tidegate/bus';
import { BadRequestError, isName, NAME_RULE, type RawId } from '@tidegate/protocol';

/**
 * The id of the raw-service whose data a folder holds: the one kept there, else `wanted`, else a fresh one, which is
 * then kept. A restart is the same service, because its data is.
 *
 * @throws BadRequestError where the folder belongs to another service than `wanted`
 */
export async function rawIdentity(dataDir: string, wanted: string | undefined): Promise<RawId> {
  if (wanted !== undefined && !isName(wanted))
    throw new BadRequestError('id', `expected an id matching ${NAME_RULE}, got ${JSON.stringify(wanted)}`);
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, 'raw-id');
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (kept !== undefined && isName(kept.trim())) {
    if (wanted !== undefined && wanted !== kept.trim()) {
      throw new BadRequestError(
        'id',
        `expected the folder of raw-service "${wanted}", but ${dataDir} belongs to "${kept.trim()}"`,
      );
    }
    return kept.trim() as RawId;
  }
  const id = wanted ?? `raw-${newIncarnation().slice(-10).toLowerCase()}`;
  await writeFile(`${file}.new`, `${id}\n`);
  await rename(`${file}.new`, file);
  return id as RawId;
}
