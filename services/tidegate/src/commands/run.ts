import type { Command } from 'commander';
import { name } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import type { RunMetaOptions, RunningService } from '../launcher/run-service.js';
import { runUntilSignal } from '../launcher/signals.js';
import { processLogger } from '../log.js';
import { addOption } from '../option.js';
import { type CommonOptions, terminalFor } from '../session.js';
import { addRawOptions, addShardsOption } from './up.js';

interface ServiceOptions extends CommonOptions {
  readonly id?: string;
}

interface RawOptions extends ServiceOptions {
  readonly dataDir?: string;
  readonly memoryDir?: string;
  readonly memory?: number;
  readonly disk?: number;
}

interface MetaOptions extends ServiceOptions {
  readonly shards?: number;
}

/** `tidegate run raw|meta|engine` */
export function addRun(program: Command): void {
  const run = program
    .command('run')
    .helpCommand(false)
    .summary('run one service, for a container')
    .description(
      'Runs one service against a NATS server, prints "ready nats://…" when it answers, and stops cleanly on SIGTERM.',
    );
  addExamples(run, [
    'tidegate run raw --nats nats://nats:4222 --data-dir /data --memory 8GiB',
    'tidegate run meta --nats nats://nats:4222',
  ]);

  const raw = run
    .command('raw')
    .summary('keep data')
    .description('Runs one raw-service: it keeps data in memory and on disk.');
  addRawOptions(raw);
  addOption(raw, '--id <name>', 'id of the service', {
    parse: name,
    defaultText: 'the one kept in the data directory',
  });
  addCommonOptions(raw);
  addExamples(raw, [
    'tidegate run raw --nats nats://nats:4222 --data-dir /data --memory 8GiB',
    'TIDEGATE_NATS=nats://nats:4222 TIDEGATE_ID=raw-a tidegate run raw --data-dir /data',
  ]);
  raw.action(({ memory, disk, ...options }: RawOptions) =>
    serve(options, async (common) =>
      (await services()).runRaw({
        ...common,
        ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
        ...(options.memoryDir !== undefined && { memoryDir: options.memoryDir }),
        ...(memory !== undefined && { memoryBytes: memory }),
        ...(disk !== undefined && { diskBytes: disk }),
      }),
    ),
  );

  addShardService(run, {
    name: 'meta',
    summary: 'know where data is',
    description: 'Runs one meta-service: it knows where data is.',
    examples: [
      'tidegate run meta --nats nats://nats:4222',
      'tidegate run meta --nats nats://nats-0:4222,nats://nats-1:4222 --shards 64',
    ],
    start: async (options) => (await services()).runMeta(options),
  });
  addShardService(run, {
    name: 'engine',
    summary: 'decide what triggers watch for',
    description: 'Runs one trigger-engine: it keeps triggers, decides the steps that they are on, and acts.',
    examples: [
      'tidegate run engine --nats nats://nats:4222',
      'TIDEGATE_NATS=nats://nats-0:4222,nats://nats-1:4222 tidegate run engine',
    ],
    start: async (options) => (await services()).runEngine(options),
  });
}

interface ShardService {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly [string, string];
  readonly start: (options: RunMetaOptions) => Promise<RunningService>;
}

/** A service that owns shards and keeps nothing of its own. */
function addShardService(run: Command, { name: kind, summary, description, examples, start }: ShardService): void {
  const command = run.command(kind).summary(summary).description(description);
  addShardsOption(command);
  addOption(command, '--id <name>', 'id of the service', { parse: name, defaultText: 'a fresh one' });
  addCommonOptions(command);
  addExamples(command, examples);
  command.action((options: MetaOptions) =>
    serve(options, (common) => start({ ...common, ...(options.shards !== undefined && { shards: options.shards }) })),
  );
}

/** Loaded when they are needed: the commands of a client do without. */
function services(): Promise<typeof import('../launcher/run-service.js')> {
  return import('../launcher/run-service.js');
}

async function serve(
  options: ServiceOptions,
  start: (common: RunMetaOptions) => Promise<RunningService>,
): Promise<void> {
  const terminal = terminalFor(options);
  const logger = processLogger('info');
  const { nats, id } = options;
  await runUntilSignal(
    async (signal) => {
      const onNotice = (line: string): void => terminal.note(line);
      const running = await start({ nats, logger, onNotice, signal, ...(id !== undefined && { id }) });
      const { url, service } = running;
      terminal.value({ ready: url, service, id: running.id, pid: process.pid }, () => [`ready ${url}`]);
      return running;
    },
    { onStopping: () => terminal.note('stopping; once more to end at once') },
  );
}
