import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { environmentName } from '../option.js';
import { buildProgram } from '../program.js';

/** The commands that do something by themselves; those that only group others take no options. */
function doers(command: Command): readonly Command[] {
  const below = command.commands.flatMap(doers);
  return command.parent && (below.length === 0 || command.options.length > 0) ? [command, ...below] : below;
}

function fullName(command: Command): string {
  return command.parent?.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

const COMMANDS = doers(buildProgram(false));

describe('the command line', () => {
  test('has these commands', () => {
    expect(COMMANDS.map(fullName)).toEqual([
      'up',
      'run raw',
      'run meta',
      'run engine',
      'declare',
      'variables',
      'put',
      'get',
      'query',
      'steps',
      'delete',
      'pin',
      'unpin',
      'rollback',
      'trigger register',
      'trigger list',
      'trigger get',
      'trigger enable',
      'trigger disable',
      'trigger delete',
      'trigger decisions',
      'trigger explain',
      'trigger test',
      'trigger check',
      'kernel put',
      'kernel list',
      'worker',
      'storage',
      'storage forget',
      'event tail',
      'asyncapi',
    ]);
  });

  test('takes --json everywhere, and every option from the environment but those that mean one call', () => {
    for (const command of COMMANDS) {
      expect(command.options.map(({ long }) => long)).toContain('--json');
      for (const option of command.options) {
        const once = `${command.name()} --${option.name()}`;
        if (['put --id', 'delete --all', 'rollback --to-step'].includes(once)) expect(option.envVar).toBeUndefined();
        else expect(option.envVar).toBe(environmentName(option.name()));
      }
    }
  });

  test('helps with a sentence and two examples', () => {
    for (const command of COMMANDS) {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      expect(command.description()).toMatch(/^[A-Z].*\.$/);
      expect(help.match(/^ {2}\$ .*tidegate/gm)).toHaveLength(2);
      expect(help).not.toContain('undefined');
    }
  });
});
