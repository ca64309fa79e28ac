import { createHash } from 'node:crypto';
import type { StorageReply, VariableRecord } from '@tidegate/protocol';
import type { PlainClient } from './plain-client.js';
import { filesBelow } from './segment-files.js';

/** What a stranger can see of a cluster's state; two of them are compared as they are. */
export interface StagedState {
  readonly variables: readonly VariableRecord[];
  readonly services: StorageReply['services'];
  /** Of every step of every variable: its listing, and the digest of its data. */
  readonly steps: Readonly<Record<string, unknown>>;
  /** Files of the disk tiers. */
  readonly files: readonly string[];
}

/** Reads the whole state through the wire, and the names of the files on disk. Run `default` only. */
export async function stagedState(client: PlainClient, dataDir: string): Promise<StagedState> {
  const { variables } = (await client.control('tide.v1.variable.list', {})).json<{ variables: VariableRecord[] }>();
  const { services } = (await client.control('tide.v1.storage', {})).json<StorageReply>();
  const steps: Record<string, unknown> = {};
  for (const { name, dtype } of variables) {
    const listed = (await client.control('tide.v1.steps', { variable: name })).json<{ steps: { step: number }[] }>();
    for (const entry of listed.steps) {
      const query = await client.control('tide.v1.query', { variable: name, step: entry.step });
      const reply =
        dtype === 'bytes'
          ? undefined
          : await client.request('tide.v1.get', '', { 'Tide-Variable': name, 'Tide-Step': entry.step });
      steps[`${name} ${entry.step}`] = {
        entry,
        pieces: query.json()['pieces'],
        status: reply?.status,
        digest: reply && createHash('sha256').update(reply.data).digest('hex'),
      };
    }
  }
  const files = (await filesBelow(dataDir)).map(({ name }) => name).filter((name) => name.includes('disk/'));
  return { variables: [...variables].sort((a, b) => (a.name < b.name ? -1 : 1)), services, steps, files };
}
