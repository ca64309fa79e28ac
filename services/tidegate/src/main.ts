import { CommanderError } from 'commander';
import { DefinitionError } from './definition-file.js';
import { failureBody } from './format/failure.js';
import { emptyAsUnset, environmentName } from './option.js';
import { buildProgram } from './program.js';
import { terminalFor } from './session.js';
import { UsageError } from './usage-error.js';

const FAILED = 1;
const WRONG_USE = 2;

/**
 * Runs the command line.
 *
 * @param words arguments without the program's own name
 * @returns the exit code: 0 done, 1 failed, 2 used wrongly
 */
export async function main(words: readonly string[]): Promise<number> {
  const { env, stdout } = process;
  emptyAsUnset(env);
  const json = env[environmentName('json')] !== undefined || words.includes('--json');
  // The reader went away, as `head` does: nothing is left to say, and to whom.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : FAILED));
  try {
    await buildProgram(json).parseAsync([...words], { from: 'user' });
    // Set by a command that did what it was asked and found something.
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE;
    const terminal = terminalFor({ json });
    if (error instanceof DefinitionError) for (const line of error.excerpt) terminal.note(line);
    terminal.failure(failureBody(error));
    return error instanceof UsageError ? WRONG_USE : FAILED;
  }
}
