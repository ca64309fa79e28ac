import type { KernelListReply } from '@tidegate/protocol';
import type { Command } from 'commander';
import { addCommonOptions, addExamples } from '../common-options.js';
import { formatBytes } from '../format/bytes.js';
import type { Column } from '../format/table.js';
import { readInput } from '../npy-file.js';
import { ANSWER_MS, type CommonOptions, withClient } from '../session.js';

const COLUMNS: readonly Column<KernelListReply['kernels'][number]>[] = [
  { title: 'DIGEST', value: ({ digest }) => digest },
  { title: 'BYTES', value: ({ bytes }) => formatBytes(bytes), align: 'right' },
  { title: 'EXPORTS', value: ({ exports }) => exports.join(', ') },
];

/** `tidegate kernel …` */
export function addKernel(program: Command): void {
  const kernel = program
    .command('kernel')
    .helpCommand(false)
    .summary('keep WebAssembly kernels')
    .description('Works with kernels: WebAssembly modules that checks and transforms of triggers may call.');
  addExamples(kernel, ['tidegate kernel put score.wasm', 'tidegate kernel list']);

  const put = kernel
    .command('put')
    .argument('<file>', 'a WebAssembly module; - for standard input')
    .summary('store a module')
    .description('Stores a WebAssembly module and prints its digest, by which definitions name it.');
  addCommonOptions(put);
  addExamples(put, ['tidegate kernel put score.wasm', 'tidegate kernel put score.wasm --json | jq -r .digest']);
  put.action((file: string, options: CommonOptions) =>
    withClient(options, async ({ client, terminal }) => {
      const reply = await client.kernels.put(await readInput(file), { timeoutMs: ANSWER_MS });
      terminal.value(reply, ({ digest, exports }) => terminal.fields({ digest, exports: exports.join(', ') }));
    }),
  );

  const list = kernel
    .command('list')
    .summary('list the modules')
    .description('Lists the stored modules with what they export.');
  addCommonOptions(list);
  addExamples(list, ['tidegate kernel list', 'tidegate kernel list --json | jq -r .digest']);
  list.action((options: CommonOptions) =>
    withClient(options, async ({ client, terminal }) => {
      terminal.rows(await client.kernels.list({ timeoutMs: ANSWER_MS }), COLUMNS, 'no kernel is stored');
    }),
  );
}
