import type { RawStorage, StreamUse, TierUse } from '@tidegate/protocol';
import type { Command } from 'commander';
import { addCommonOptions, addExamples } from '../common-options.js';
import { formatBytes } from '../format/bytes.js';
import type { Column } from '../format/table.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';

function share({ usedBytes, limitBytes }: TierUse): string {
  return limitBytes > 0 ? `${Math.round((100 * usedBytes) / limitBytes)} %` : '';
}

const SERVICES: readonly Column<RawStorage>[] = [
  { title: 'RAW-SERVICE', value: ({ id }) => id },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'MEMORY', value: ({ memory }) => formatBytes(memory.usedBytes), align: 'right' },
  { title: 'OF', value: ({ memory }) => formatBytes(memory.limitBytes), align: 'right' },
  { title: '', value: ({ memory }) => share(memory), align: 'right' },
  { title: 'DISK', value: ({ disk }) => formatBytes(disk.usedBytes), align: 'right' },
  { title: 'OF', value: ({ disk }) => formatBytes(disk.limitBytes), align: 'right' },
  { title: '', value: ({ disk }) => share(disk), align: 'right' },
];

const STREAMS: readonly Column<StreamUse>[] = [
  { title: 'STREAM', value: ({ name }) => name },
  { title: 'MESSAGES', value: ({ messages }) => messages, align: 'right' },
  { title: 'BYTES', value: ({ usedBytes }) => formatBytes(usedBytes), align: 'right' },
  { title: 'OF', value: ({ limitBytes }) => formatBytes(limitBytes), align: 'right' },
];

/** `tidegate storage` */
export function addStorage(program: Command): void {
  const command = program
    .command('storage')
    .summary('show room and state')
    .description('Shows how full every raw-service and every stream is, and the worst of their states.');
  addCommonOptions(command);
  addExamples(command, ['tidegate storage', 'tidegate storage --json | jq .state']);
  command.action((options: CommonOptions) =>
    withClient(options, async ({ client, terminal }) => {
      terminal.value(await client.storage({ timeoutMs: ANSWER_MS }), ({ state, services, streams }) => [
        `state ${state}`,
        '',
        ...terminal.table(services, SERVICES),
        ...(streams.length > 0 ? ['', ...terminal.table(streams, STREAMS)] : []),
      ]);
    }),
  );
}
