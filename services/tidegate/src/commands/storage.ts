import { type Bus, openBucket, Roster } from '@tidegate/bus';
import {
  ConflictError,
  type MemberRecord,
  NotFoundError,
  type RawStorage,
  type StreamUse,
  type TierUse,
} from '@tidegate/protocol';
import type { Command } from 'commander';
import { addCommonOptions, addExamples } from '../common-options.js';
import { formatBytes } from '../format/bytes.js';
import type { Column } from '../format/table.js';
import { ANSWER_MS, type CommonOptions, terminalFor, withBus, withClient } from '../session.js';

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
    .helpCommand(false)
    .summary('show room and state')
    .description('Shows how full every raw-service and every stream is, and the worst of their states.');
  addCommonOptions(command);
  addExamples(command, ['tidegate storage', 'tidegate storage --json | jq .state']);
  addForget(command);
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

/** `tidegate storage forget` */
function addForget(storage: Command): void {
  const command = storage
    .command('forget')
    .argument('<raw-service>', 'its id')
    .summary('give a raw-service up for good')
    .description(
      'Gives up a raw-service that will not come back, so that nobody waits for what it may hold. ' +
        'What it alone held is lost to readers; should it start again, it is taken in again with all that it has.',
    );
  addCommonOptions(command);
  addExamples(command, ['tidegate storage forget raw-7k2m9x4c1q', 'tidegate storage forget raw-7k2m9x4c1q --json']);
  command.action((id: string, _options: unknown, self: Command) => {
    const options = self.optsWithGlobals<CommonOptions>();
    return withBus(options, async (bus) => {
      await forgetRaw(bus, id);
      terminalFor(options).value({ forgotten: id }, () => [`forgot raw-service ${id}`]);
    });
  });
}

/** @throws ConflictError for a raw-service that is live, NotFoundError for one that is not known */
async function forgetRaw(bus: Bus, id: string): Promise<void> {
  const raws = await openBucket<unknown>(bus, 'raws');
  const roster = await Roster.open(bus, await openBucket<MemberRecord>(bus, 'members'));
  try {
    if (roster.isLive('raw', id)) throw new ConflictError(`raw-service "${id}" is live: expected one that is gone`);
    const known = await raws.keys();
    if (!known.includes(id))
      throw new NotFoundError(`raw-service "${id}" is not known: expected one of ${known.join(', ') || 'none'}`);
    await raws.delete(id);
  } finally {
    await roster.stop();
  }
}
