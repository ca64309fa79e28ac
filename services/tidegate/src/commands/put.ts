import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { BadRequestError } from '@tidegate/protocol';
import type { Command } from 'commander';
import { box, integer, name, step } from '../arguments.js';
import { addCommonOptions, addExamples } from '../common-options.js';
import { formatBytes } from '../format/bytes.js';
import { cellsOf, readInput } from '../npy-file.js';
import { addOption } from '../option.js';
import { transferProgress } from '../progress.js';
import { ANSWER_MS, type CommonOptions, transferMs, withClient } from '../session.js';

interface PutOptions extends CommonOptions {
  readonly step: number;
  readonly box?: string;
  readonly run: string;
  readonly id?: string;
  readonly wait?: number;
  readonly annotation?: string;
  readonly digest?: true;
}

/** `tidegate put` */
export function addPut(program: Command): void {
  const command = program
    .command('put')
    .summary('put a .npy file')
    .description(
      'Puts an array into a box of a step, from a .npy file whose element type and shape are those of the box. For a ' +
        'variable of opaque bytes the file is put as it is.',
    )
    .argument('<variable>', 'a declared variable', name)
    .argument('<file>', '.npy file; - for standard input');
  addOption(command, '--step <n>', 'step', { parse: step, required: true });
  addOption(command, '--box <lo:hi,…>', 'where in the domain', { parse: box, defaultText: 'the whole domain' });
  addOption(command, '--run <name>', 'name of the run', { parse: name, default: 'default' });
  // An id from the environment would make every further put a repetition of the first.
  addOption(command, '--id <ulid>', 'id of the put: the same again is stored once', {
    defaultText: 'a fresh one',
    environment: false,
  });
  addOption(command, '--wait <ms>', 'how long to wait for room', { parse: integer(0), defaultText: '10000' });
  addOption(command, '--annotation <json>', 'annotation as JSON, @FILE, or sha256:… of a stored one');
  addOption(command, '--digest', 'send the SHA-256 of the data, which is checked where it is stored');
  addCommonOptions(command);
  addExamples(command, [
    'tidegate put T --step 7 field.npy',
    `python -c 'import numpy, sys; numpy.save(sys.stdout.buffer, numpy.eye(64))' | tidegate put T --step 7 --box 0:64,0:64 -`,
  ]);
  command.action(put);
}

async function put(variable: string, path: string, options: PutOptions): Promise<void> {
  const file = await readInput(path);
  const annotation = options.annotation === undefined ? undefined : await readAnnotation(options.annotation);
  await withClient(options, async ({ client, terminal }) => {
    const { box, step, run, id, wait, digest } = options;
    const record = await client.variable(variable, { timeoutMs: ANSWER_MS });
    const data = cellsOf(file, record, box);
    const progress = transferProgress(`put ${variable}`, data.length);
    try {
      const reply = await client.put({
        variable,
        step,
        run,
        data,
        timeoutMs: transferMs(data.length),
        onProgress: (bytes) => progress.update(bytes),
        ...(box !== undefined && { box }),
        ...(id !== undefined && { id }),
        ...(wait !== undefined && { waitMs: wait }),
        ...(annotation !== undefined && { annotation }),
        ...(digest && { digest: `sha256:${createHash('sha256').update(data).digest('hex')}` }),
      });
      progress.stop();
      terminal.value(reply, ({ id, bytes, rawService, storage, ...put }) => [
        `put ${put.variable} step ${put.step} box ${put.box}: ${formatBytes(bytes)} as ${id} at ${rawService}` +
          (storage.state === 'ok' ? '' : ` (storage is ${storage.state}, ${formatBytes(storage.freeBytes)} free)`),
      ]);
    } finally {
      progress.stop();
    }
  });
}

/** @throws BadRequestError where the text is neither a digest nor a JSON object */
async function readAnnotation(given: string): Promise<string> {
  const text = given.startsWith('@') ? await readFile(given.slice(1), 'utf8') : given;
  if (text.startsWith('sha256:')) return text;
  try {
    const value: unknown = JSON.parse(text);
    // In one line, as a header takes it.
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return JSON.stringify(value);
  } catch {
    // Said below, as for JSON of another kind.
  }
  throw new BadRequestError(
    'annotation',
    `expected a JSON object, @FILE or sha256:…, got ${JSON.stringify(text.slice(0, 80))}`,
  );
}
