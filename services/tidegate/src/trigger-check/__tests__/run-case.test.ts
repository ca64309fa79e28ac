import { describe, expect, test } from '@jest/globals';
import { DefinitionError, parseDocuments } from '../../definition-file.js';
import { readCase } from '../check-case.js';
import { type CaseResult, runCase } from '../run-case.js';

async function run(text: string): Promise<CaseResult> {
  const [source] = parseDocuments('x.yaml', text);
  if (!source) throw new Error('no document');
  return runCase(await readCase(source));
}

const HOT = `
trigger:
  name: hot
  on: {variable: T, box: "0:4,0:4", every: 2}
  check: {mx: {reduce: max}, bad: {reduce: nan_count}}
  compare: {condition: "mx > 10.0 && bad == 0", recovery: "mx < 5.0", edge: rising}
  action:
    - trigger:
        name: confirm
        check: {sum: {reduce: sum}}
        compare: {condition: "parts.exists(p, p.sum > 3.0 && p.bytes > 16)"}
`;

const told = ({ results }: CaseResult) =>
  results.map(({ step, epoch, decision }) => [step, epoch, decision?.verdict, decision?.state, decision?.late]);

describe('a series', () => {
  test('is decided as the engine does, steps that the trigger is not on being skipped', async () => {
    const result = await run(`${HOT}
steps: [0, 2, 3, 4, 6, 8]
values: {mx: [1, 11, 99, 7, 4, 12], bad: [0, 0, 0, 0, 0, unknown]}
expect: [quiet, fired, skipped, firing, inactive, unknown]
`);
    expect(told(result)).toEqual([
      [0, 0, 'quiet', 'inactive', false],
      [2, 0, 'fired', 'firing', false],
      [3, 0, undefined, undefined, undefined],
      [4, 0, 'quiet', 'firing', false],
      [6, 0, 'quiet', 'inactive', false],
      [8, 0, 'unknown', 'inactive', false],
    ]);
    expect(result.results.flatMap(({ differences }) => differences)).toEqual([]);
    expect(result.results[1]?.values).toEqual({ mx: 11, bad: 0 });
  });

  test('tells every difference', async () => {
    const { results } = await run(`${HOT}
series:
  - {step: 2, values: {mx: 11, bad: 0}, expect: {verdict: quiet, state: firing, late: true, indicator: false}}
  - {step: 3, expect: quiet}
  - {step: 4, values: {mx: 11, bad: 0}, expect: skipped}
`);
    expect(results.map(({ differences }) => differences)).toEqual([
      ['verdict: expected quiet, got fired', 'late: expected true, got false', 'indicator: expected false, got true'],
      ['the trigger does not decide this step'],
      ['expected the trigger not to decide this step'],
    ]);
  });

  test('goes on from the newest decision that stands after a rollback', async () => {
    const result = await run(`${HOT}
series:
  - {step: 2, values: {mx: 1, bad: 0}}
  - {step: 4, values: {mx: 11, bad: 0}}
  - {step: 6, values: {mx: 11, bad: 0}}
  - {rollback: 2}
  - {step: 4, values: {mx: 11, bad: 0}}
  - {step: 2, values: {mx: 11, bad: 0}}
`);
    expect(told(result)).toEqual([
      [2, 0, 'quiet', 'inactive', false],
      [4, 0, 'fired', 'firing', false],
      [6, 0, 'quiet', 'firing', false],
      [4, 1, 'fired', 'firing', false],
      [2, 0, 'quiet', 'firing', true],
    ]);
  });

  test('may be of a nested trigger, and give its pieces', async () => {
    const result = await run(`${HOT}
of: hot~confirm
series:
  - step: 2
    values: {sum: 6}
    parts: [{box: "0:2,0:4", bytes: 64, values: {sum: 2}}, {box: "2:4,0:4", bytes: 64, values: {sum: 4}}]
  - step: 4
    values: {sum: 6}
    parts: [{box: "0:2,0:4", bytes: 64, values: {sum: 2}}, {box: "2:4,0:4", bytes: 8, values: {sum: 4}}]
  - step: 6
    values: {sum: 6}
`);
    expect(told(result).map(([step, , verdict]) => [step, verdict])).toEqual([
      [2, 'fired'],
      [4, 'quiet'],
      [6, 'fired'],
    ]);
  });
});

test.each([
  [HOT.replace('mx > 10.0', 'max > 10.0'), 'x.yaml:6:25: compare.condition'],
  [HOT.replace('reduce: sum', 'reduce: total'), 'x.yaml:10:23: action.0.trigger.check.sum.reduce'],
  [`${HOT}of: hot~other`, 'x.yaml:12:1: of: expected one of hot, hot~confirm, got "hot~other"'],
  [`${HOT}values: {my: [1]}`, 'x.yaml:12:10: my: expected one of the checks mx, bad'],
  [`${HOT}series: [{step: 2, values: {my: 1}}]`, 'x.yaml:12:29: my: expected one of the checks'],
  [`${HOT}series: [{step: 2}, {step: 2}]`, 'x.yaml:12:21: series.1: step 2 is decided already'],
])('a bad one is refused at its place: case %#', async (text, message) => {
  const whole = /^(values|series):/m.test(text) ? text : `${text}\nexpect: [quiet]`;
  const failure = await run(whole).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DefinitionError);
  expect((failure as DefinitionError).message).toContain(message);
});
