import { type Command, Option } from 'commander';

/** More on an option than its flags and its text. */
export interface OptionDetails<T> {
  readonly parse?: (text: string) => T;
  readonly default?: T;
  /** How the default is shown where its value says little. */
  readonly defaultText?: string;
  readonly choices?: readonly string[];
  readonly required?: boolean;
  /** False for what must be given anew with every call. */
  readonly environment?: boolean;
}

/** Adds an option that the environment variable `TIDEGATE_<OPTION>` stands in for. */
export function addOption<T>(command: Command, flags: string, text: string, details: OptionDetails<T> = {}): Command {
  const option = new Option(flags, text);
  if (details.parse) option.argParser(details.parse);
  if (details.choices) option.choices(details.choices);
  if (details.default !== undefined || details.defaultText !== undefined) {
    option.default(details.default, details.defaultText);
  }
  if (details.required) option.makeOptionMandatory();
  if (details.environment !== false) option.env(environmentName(option.name()));
  return command.addOption(option);
}

/** `data-dir` -> `TIDEGATE_DATA_DIR`. */
export function environmentName(option: string): string {
  return `${PREFIX}${option.toUpperCase().replaceAll('-', '_')}`;
}

const PREFIX = 'TIDEGATE_';
const FLAGS = ['json', 'digest', 'follow'] as const;
const OFF: ReadonlySet<string> = new Set(['0', 'false', 'no', 'off']);

/**
 * Takes variables that are set to nothing for not set, as container tools set them, and likewise flags that are turned
 * off (`TIDEGATE_JSON=0`): commander looks only whether a variable is there.
 */
export function emptyAsUnset(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(env)) if (name.startsWith(PREFIX) && value === '') delete env[name];
  for (const name of FLAGS.map(environmentName)) if (OFF.has((env[name] ?? '').toLowerCase())) delete env[name];
}
