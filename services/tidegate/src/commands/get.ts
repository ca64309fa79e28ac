import { isOpaque, itemSize } from '@tidegate/array';
import type { NdArray, StoredObject } from '@tidegate/client';
import { boxOfShape, formatBox, parseBox, volume } from '@tidegate/geometry';
import type { VariableRecord } from '@tidegate/protocol';
import type { Command } from 'commander';
import { box, integer, name, wantedStep } from '../arguments.js';
import { arrayLines, arrayRecord, objectRecord } from '../array-record.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { formatBytes } from '../format/bytes.js';
import { addOption } from '../option.js';
import { writeArray, writeObjects } from '../output-file.js';
import { transferProgress } from '../progress.js';
import { ANSWER_MS, type CommonOptions, type Session, transferMs, withClient } from '../session.js';
import type { Terminal } from '../terminal.js';
import { UsageError } from '../usage-error.js';

interface GetOptions extends CommonOptions {
  readonly step: number | 'latest' | `next:${number}`;
  readonly box?: string;
  readonly run: string;
  readonly wait: number;
  readonly output?: string;
}

/** `tidegate get` */
export function addGet(program: Command): void {
  const command = program
    .command('get')
    .summary('get a region')
    .description(
      'Gets a region of a step, whole and of the newest data, and describes it or writes it as a .npy file. Objects of a ' +
        'variable of opaque bytes are written as they are: one to a file, several into a folder.',
    )
    .argument('<variable>', 'a declared variable', name);
  addOption(command, '--step <n|latest|next:n>', 'a step, the newest covered one, or the first covered above n', {
    parse: wantedStep,
    default: 'latest',
    defaultText: 'latest',
  });
  addOption(command, '--box <lo:hi,…>', 'region', { parse: box, defaultText: 'the whole domain' });
  addOption(command, '--run <name>', 'name of the run', { parse: name, default: 'default' });
  addOption(command, '--wait <ms>', 'how long to wait until the region is covered', { parse: integer(0), default: 0 });
  addOption(command, '-o, --output <file>', '.npy file to write; - for standard output');
  addCommonOptions(command);
  addExamples(command, [
    'tidegate get T --step latest',
    'tidegate get T --step next:41 --wait 60000 --box 0:256,0:256 -o corner.npy',
  ]);
  command.action(get);
}

async function get(variable: string, options: GetOptions): Promise<void> {
  if (options.json && options.output === '-') {
    throw new UsageError('output', 'expected -o FILE with --json: standard output cannot hold JSON and the array');
  }
  await withClient(options, async (session) => {
    const record = await session.client.variable(variable, { timeoutMs: ANSWER_MS });
    await (isOpaque(record.dtype) ? getObjects(session, record, options) : getArray(session, record, options));
  });
}

function region(record: VariableRecord, { step, run, box, wait }: GetOptions) {
  const bytes = volume(box === undefined ? boxOfShape(record.shape) : parseBox(box)) * itemSize(record.dtype);
  return {
    bytes,
    variable: record.name,
    step,
    run,
    waitMs: wait,
    timeoutMs: transferMs(bytes),
    ...(box !== undefined && { box }),
  };
}

async function getArray({ client, terminal }: Session, record: VariableRecord, options: GetOptions): Promise<void> {
  const asked = region(record, options);
  const progress = transferProgress(`get ${record.name}`, asked.bytes);
  const array = await client
    .get({ ...asked, onProgress: (bytes) => progress.update(bytes) })
    .finally(() => progress.stop());
  const { output } = options;
  if (output === undefined) terminal.value(arrayRecord(array), () => arrayLines(array));
  else {
    await writeArray(output, array);
    if (output !== '-') tellWritten(terminal, array, output);
  }
}

function tellWritten(terminal: Terminal, array: NdArray, file: string): void {
  const { variable, run, step, epoch, dtype, shape } = array;
  const box = formatBox(array.box);
  terminal.value({ variable, run, step, epoch, box, dtype, shape, bytes: array.bytes.length, file }, ({ bytes }) => [
    `wrote ${file}: ${variable} step ${step} box ${box}, ${dtype} (${shape.join(', ')}), ${formatBytes(bytes)}`,
  ]);
}

async function getObjects({ client, terminal }: Session, record: VariableRecord, options: GetOptions): Promise<void> {
  const objects = await client.getObjects(region(record, options));
  const { output } = options;
  const files = output === undefined ? [] : await writeObjects(output, objects);
  if (output === '-') return;
  terminal.rows<{ readonly object: StoredObject; readonly file?: string }>(
    objects.map((object, at) => ({
      object,
      ...objectRecord(object),
      ...(files[at] !== undefined && { file: files[at] }),
    })),
    [
      { title: 'ID', value: ({ object }) => object.id },
      { title: 'BOX', value: ({ object }) => formatBox(object.box) },
      { title: 'BYTES', value: ({ object }) => formatBytes(object.bytes.length), align: 'right' },
      ...(output === undefined ? [] : [{ title: 'FILE', value: ({ file = '' }: { readonly file?: string }) => file }]),
    ],
    'no object',
  );
}
