import type { Command } from 'commander';
import { addCommonOptions, addExamples } from '../common-options.js';
import { readDocuments } from '../definition-file.js';
import { count } from '../format/count.js';
import { valuesText } from '../format/decision.js';
import type { Column } from '../format/table.js';
import { terminalFor } from '../session.js';
import type { Terminal } from '../terminal.js';
import type { CheckCase, Expectation } from '../trigger-check/check-case.js';
import type { CaseResult, StepResult } from '../trigger-check/run-case.js';

/** Exit code where a step is not as expected. */
const DIFFERS = 1;

/** `tidegate trigger check` */
export function addTriggerCheck(trigger: Command): void {
  const command = trigger
    .command('check')
    .argument('<file...>', 'cases in YAML: a definition, values per step, what is expected; - for standard input')
    .summary('test a definition against written cases')
    .description(
      'Lets definitions decide series of values, as the trigger-engine would, and compares with what is expected. Needs no ' +
        'cluster; ends with exit code 1 where a step differs.',
    );
  addCommonOptions(command, { nats: false });
  addExamples(command, [
    'tidegate trigger check hot.check.yaml',
    "tidegate trigger check checks/*.yaml --json | jq 'select(.differences != [])'",
  ]);
  command.action((files: readonly string[], options: { readonly json?: true }) => check(files, terminalFor(options)));
}

async function check(files: readonly string[], terminal: Terminal): Promise<void> {
  // Loaded here, so that other commands do without the expression language.
  const { readCase } = await import('../trigger-check/check-case.js');
  const { runCase } = await import('../trigger-check/run-case.js');
  const cases: CheckCase[] = [];
  for (const file of files) {
    for (const source of await readDocuments(file)) {
      cases.push(await readCase(source));
    }
  }
  let differing = 0;
  for (const checked of cases) {
    const result = runCase(checked);
    differing += result.results.filter(({ differences }) => differences.length > 0).length;
    tell(terminal, checked.source.file, result);
  }
  if (differing > 0) process.exitCode = DIFFERS;
}

const COLUMNS: readonly Column<StepResult>[] = [
  { title: '', value: ({ expect, differences }) => (differences.length > 0 ? '✗' : expect ? '✓' : ' ') },
  { title: 'STEP', value: ({ step, epoch }) => (epoch === 0 ? step : `${step}@${epoch}`), align: 'right' },
  { title: 'VALUES', value: ({ values }) => valuesText(values) },
  { title: 'VERDICT', value: ({ decision }) => decision?.verdict ?? 'skipped' },
  { title: 'STATE', value: ({ decision }) => (decision ? `${decision.state}${decision.late ? ', late' : ''}` : '') },
  { title: 'EXPECTED', value: ({ expect, differences }) => (differences.length > 0 ? expectedText(expect) : '') },
  { title: 'REASON', value: ({ decision }) => decision?.reason ?? '' },
];

function expectedText(expect: Expectation = {}): string {
  return Object.entries(expect)
    .map(([key, value]) => (key === 'verdict' || key === 'state' ? String(value) : `${key} ${value}`))
    .join(', ');
}

function tell(terminal: Terminal, file: string, { title, results }: CaseResult): void {
  if (terminal.json) {
    for (const result of results) terminal.value({ file, case: title, ...result }, () => []);
    return;
  }
  const differing = results.filter(({ differences }) => differences.length > 0).length;
  const steps = count(results.length, 'step');
  const verdict = differing === 0 ? `✓ ${steps} as expected` : `✗ ${differing} of ${steps} not as expected`;
  const columns = differing === 0 ? COLUMNS.filter(({ title }) => title !== 'EXPECTED') : COLUMNS;
  terminal.value(results, (shown) => [`${title}: ${verdict}`, ...terminal.table(shown, columns), '']);
}
