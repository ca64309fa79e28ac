import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnavailableError } from '@tidegate/protocol';

const VARIABLE = 'TIDEGATE_NATS_SERVER';
const CHECKOUT = fileURLToPath(new URL('../../../../.tools/bin', import.meta.url));

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Path of a nats-server: the one that `TIDEGATE_NATS_SERVER` names, else the one in `.tools/bin` of the checkout, else
 * the first on PATH.
 *
 * @throws UnavailableError that says where it looked
 */
export function findNatsServer(env: NodeJS.ProcessEnv = process.env, checkoutBin: string = CHECKOUT): string {
  const named = env[VARIABLE];
  if (named) {
    if (isExecutable(named)) return named;
    throw new UnavailableError(`expected ${VARIABLE} to name an executable file, got ${named}`, 0);
  }
  const folders = [checkoutBin, ...(env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')];
  const found = folders.map((folder) => join(folder, 'nats-server')).find(isExecutable);
  if (found) return found;
  throw new UnavailableError(
    `found no nats-server: ${VARIABLE} is not set, and there is none in ${folders.join(', ')}; ` +
      'run "make setup" in a checkout, install nats-server 2.9.10 or newer, or use a running one with --nats',
    0,
  );
}
