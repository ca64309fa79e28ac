import { Command, type Help, type Option } from 'commander';
import { addAsyncApi } from './commands/asyncapi.js';
import { addDeclare } from './commands/declare.js';
import { addDelete } from './commands/delete.js';
import { addEvent } from './commands/event.js';
import { addGet } from './commands/get.js';
import { addKernel } from './commands/kernel.js';
import { addPin } from './commands/pin.js';
import { addPut } from './commands/put.js';
import { addQuery } from './commands/query.js';
import { addRollback } from './commands/rollback.js';
import { addRun } from './commands/run.js';
import { addSteps } from './commands/steps.js';
import { addStorage } from './commands/storage.js';
import { addTrigger } from './commands/trigger.js';
import { addUp } from './commands/up.js';
import { addVariables } from './commands/variables.js';
import { addWorker } from './commands/worker.js';
import { failureLine } from './format/failure.js';
import { VERSION } from './version.js';

const GROUPS: readonly (readonly [string, readonly ((program: Command) => void)[]])[] = [
  ['Running it:', [addUp, addRun]],
  ['Data:', [addDeclare, addVariables, addPut, addGet, addQuery, addSteps, addDelete, addPin, addRollback]],
  ['Watching it:', [addTrigger, addKernel, addWorker]],
  ['Looking around:', [addStorage, addEvent, addAsyncApi]],
];

/**
 * The command line.
 *
 * @param json whether failures of its use are told as JSON
 */
export function buildProgram(json: boolean): Command {
  const program = new Command('tidegate')
    .description(
      'Stages data of simulations and instruments: put arrays step after step, get any region of any step, and let ' +
        'triggers watch them.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help; also behind a command')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ optionDescription })
    .configureOutput({ outputError: (text, write) => write(usageFailure(text, json)) });
  for (const [group, commands] of GROUPS) {
    program.commandsGroup(group);
    for (const add of commands) add(program);
  }
  return program.addHelpText(
    'after',
    '\nEvery option is also an environment variable: --data-dir is TIDEGATE_DATA_DIR.' +
      '\nTIDEGATE_LOG_LEVEL sets how much is logged; TIDEGATE_NATS_SERVER names the nats-server to start.' +
      '\n\nExamples:\n  $ tidegate up\n  $ tidegate put --help',
  );
}

/** An option's text with its default; the environment variables follow one rule and are told once. */
function optionDescription(this: Help, option: Option): string {
  const { description, defaultValue, defaultValueDescription, argChoices } = option;
  const shown = defaultValueDescription ?? (defaultValue === undefined ? undefined : String(defaultValue));
  const extra = [
    ...(argChoices && argChoices.length <= 4 ? [argChoices.join(' or ')] : []),
    ...(argChoices && argChoices.length > 4 ? [argChoices.join(' ')] : []),
    ...(shown === undefined ? [] : [`default: ${shown}`]),
    ...(option.mandatory ? ['required'] : []),
  ];
  return extra.length > 0 ? `${description} (${extra.join('; ')})` : description;
}

/** Commander's message about a wrong use, in one line. */
function usageFailure(text: string, json: boolean): string {
  const message = text
    .trim()
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ');
  const body = { code: 'BAD_REQUEST', message, retryable: false } as const;
  return `${json ? JSON.stringify({ ...body, field: 'arguments' }) : failureLine(body)}\n`;
}
