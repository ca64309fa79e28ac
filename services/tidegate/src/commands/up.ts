import type { Command } from 'commander';
import { bytes, integer, natsUrl } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { DEFAULT_DATA_DIR } from '../launcher/folders.js';
import { runUntilSignal } from '../launcher/signals.js';
import { processLogger } from '../log.js';
import { addOption } from '../option.js';
import { terminalFor } from '../session.js';
import { VERSION } from '../version.js';

interface UpOptions {
  readonly nats?: string;
  readonly natsPort?: number;
  readonly dataDir?: string;
  readonly memoryDir?: string;
  readonly memory?: number;
  readonly disk?: number;
  readonly shards?: number;
  readonly raw?: number;
  readonly meta?: number;
  readonly engine?: number;
  readonly json?: true;
}

/** More services than this in one process share too few cores. */
const MOST_SERVICES = 64;
const MOST_SHARDS = 65_536;
const MOST_PORT = 65_535;

/** Adds the options of a raw-service's folders and budgets. */
export function addRawOptions(command: Command): void {
  addOption(command, '--data-dir <dir>', 'where staged data that must last is kept', { defaultText: DEFAULT_DATA_DIR });
  addOption(command, '--memory-dir <dir>', 'memory-backed folder of the memory tier', {
    defaultText: '/dev/shm/tidegate-<hash of the data directory>',
  });
  addOption(command, '--memory <bytes>', 'memory for data, of each raw-service', {
    parse: bytes,
    defaultText: '1GiB, at most half of what is free',
  });
  addOption(command, '--disk <bytes>', 'disk for data, of each raw-service', {
    parse: bytes,
    defaultText: '64GiB, at most what is free',
  });
}

/** Adds the option of the number of shards. */
export function addShardsOption(command: Command): void {
  addOption(command, '--shards <n>', 'shards of a new cluster, which keeps them', {
    parse: integer(1, MOST_SHARDS),
    defaultText: '16',
  });
}

/** `tidegate up` */
export function addUp(program: Command): void {
  const command = program
    .command('up')
    .summary('start everything here')
    .description(
      'Starts a nats-server and all services in one process, prints "ready nats://…" when everything answers, and stops ' +
        'cleanly on SIGINT and SIGTERM. What is staged stays for the next start.',
    );
  addOption(command, '--nats <url>', 'use this NATS server (with JetStream) and start none', { parse: natsUrl });
  addOption(command, '--nats-port <port>', 'port of the nats-server; 0 takes a free one', {
    parse: integer(0, MOST_PORT),
    defaultText: '4222',
  });
  addRawOptions(command);
  addShardsOption(command);
  addOption(command, '--raw <n>', 'raw-services, which keep the data; never fewer than before', {
    parse: integer(1, MOST_SERVICES),
    defaultText: '1',
  });
  addOption(command, '--meta <n>', 'meta-services, which know where it is', {
    parse: integer(1, MOST_SERVICES),
    defaultText: '1',
  });
  addOption(command, '--engine <n>', 'trigger-engines, which decide what triggers watch for; 0 for none', {
    parse: integer(0, MOST_SERVICES),
    defaultText: '1',
  });
  addCommonOptions(command, { nats: false });
  addExamples(command, ['tidegate up', 'tidegate up --nats-port 0 --data-dir /var/lib/tidegate --memory 4GiB --raw 2']);
  command.action(up);
}

async function up({ json, memory, disk, ...options }: UpOptions): Promise<void> {
  const terminal = terminalFor({ ...(json && { json }) });
  const logger = processLogger(terminal.json ? 'info' : 'warn');
  const onNotice = (line: string): void => terminal.note(`  ${line}`);
  terminal.note(`Tidegate ${VERSION}`);
  await runUntilSignal(
    async (signal) => {
      // Here, so that the commands of a client do not load the services.
      const { startTidegate } = await import('../launcher/up.js');
      const running = await startTidegate({
        ...options,
        ...(memory !== undefined && { memoryBytes: memory }),
        ...(disk !== undefined && { diskBytes: disk }),
        logger,
        onNotice,
        signal,
      });
      const { stop, url, ...rest } = running;
      terminal.value({ ready: url, port: Number(URL.parse(url)?.port ?? 0), ...rest, pid: process.pid }, () => [
        `ready ${url}`,
      ]);
      return { stop };
    },
    { onStopping: () => terminal.note('stopping; once more to end at once') },
  );
}
