import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { DefinitionError, parseDocuments } from '../../definition-file.js';
import { type CheckCase, readCase } from '../check-case.js';

function read(text: string, file = 'x.yaml'): Promise<CheckCase> {
  const [source] = parseDocuments(file, text);
  if (!source) throw new Error('no document');
  return readCase(source);
}

const TRIGGER = 'trigger: {name: hot, on: {variable: T}}\n';

describe('a case', () => {
  test('in rows', async () => {
    const read1 = await read(`title: by hand
${TRIGGER}run: r
of: hot~confirm
variable: {dtype: int8, shape: [4, 4]}
series:
  - {step: 3, values: {mx: NaN, bad: unknown}, expect: fired}
  - {step: 4, time: "2026-01-02T03:04:05Z", expect: {state: firing, late: false, indicator: null}}
  - rollback: 3
  - step: 4
    parts: [{box: "0:2,0:4", bytes: 8, values: {mx: 1}}, {box: "2:4,0:4"}]
    expect: skipped
`);
    expect(read1).toMatchObject({
      title: 'by hand',
      definition: { name: 'hot' },
      definitionPath: 'trigger.',
      run: 'r',
      of: 'hot~confirm',
      variable: { dtype: 'int8', shape: [4, 4] },
    });
    expect(read1.series).toEqual([
      {
        path: 'series.0',
        step: 3,
        time: 3000,
        values: new Map<string, object>([
          ['mx', { value: Number.NaN }],
          ['bad', { failure: 'unknown' }],
        ]),
        expect: { verdict: 'fired' },
      },
      {
        path: 'series.1',
        step: 4,
        time: Date.UTC(2026, 0, 2, 3, 4, 5),
        values: new Map(),
        expect: { state: 'firing', late: false, indicator: null },
      },
      { path: 'series.2', toStep: 3 },
      {
        path: 'series.3',
        step: 4,
        time: 4000,
        values: new Map(),
        parts: [
          { box: '0:2,0:4', bytes: 8, values: new Map([['mx', { value: 1 }]]) },
          { box: '2:4,0:4', bytes: 0, values: new Map() },
        ],
        expect: { skipped: true },
      },
    ]);
  });

  test('in columns', async () => {
    const { title, run, variable, series } = await read(
      `${TRIGGER}steps: [2, 4]\nvalues: {mx: [1, unknown]}\nexpect: [quiet, ~]\n`,
    );
    expect({ title, run, variable }).toEqual({
      title: 'hot',
      run: 'default',
      variable: { dtype: 'float64', shape: [1] },
    });
    expect(series).toEqual([
      { path: 'steps.0', step: 2, time: 2000, values: new Map([['mx', { value: 1 }]]), expect: { verdict: 'quiet' } },
      { path: 'steps.1', step: 4, time: 4000, values: new Map([['mx', { failure: 'unknown' }]]) },
    ]);
    const plain = await read(`${TRIGGER}values: {mx: [5, 6]}`);
    expect(plain.series.map((entry) => ('step' in entry ? entry.step : -1))).toEqual([0, 1]);
    const empty = await read(`${TRIGGER}expect: [pending]`);
    expect(empty.series).toMatchObject([{ step: 0, expect: { state: 'pending' } }]);
  });

  test('takes the shape of its variable from the box where there is one', async () => {
    const boxed = await read('trigger: {name: hot, on: {variable: T, box: "2:8,0:4"}}\nexpect: [quiet]');
    expect(boxed.variable.shape).toEqual([8, 4]);
  });
});

describe('a definition in a file of its own', () => {
  let folder: TemporaryDirectory;
  beforeAll(async () => {
    folder = await temporaryDirectory();
    await writeFile(join(folder.path, 'hot.yaml'), 'name: hot\non: {variable: T}\n');
  });
  afterAll(() => folder.remove());

  test('is found beside the cases', async () => {
    const found = await read('definition: hot.yaml\nexpect: [quiet]', join(folder.path, 'hot.check.yaml'));
    expect(found).toMatchObject({ title: 'hot', definition: { name: 'hot' }, definitionPath: '' });
    expect(found.definitionSource.file).toBe(join(folder.path, 'hot.yaml'));
  });

  test('must be there', async () => {
    await expect(read('definition: none.yaml', join(folder.path, 'x.yaml'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test.each([
  ['[]', '1:1', 'map of keys'],
  ['serie: []', '1:1', 'unknown key "serie"'],
  ['expect: [quiet]', '1:1', 'trigger'],
  [`${TRIGGER}definition: hot.yaml`, '1:1', 'either'],
  ['definition: 3', '1:1', 'path of a file'],
  [`${TRIGGER}run: a b`, '2:1', 'name of a run'],
  [`${TRIGGER}of: 3`, '2:1', 'full name'],
  [`${TRIGGER}variable: {dtype: real}`, '2:12', 'one of'],
  [`${TRIGGER}variable: {shape: [0]}`, '2:12', 'extents'],
  [`${TRIGGER}variable: {size: 3}`, '2:12', 'unknown key "size"'],
  [`${TRIGGER}`, '1:1', 'series'],
  [`${TRIGGER}series: 3`, '2:1', 'a list'],
  [`${TRIGGER}series: []\nvalues: {mx: [1]}`, '3:1', 'either'],
  [`${TRIGGER}series: [{step: -1}]`, '2:11', 'a step'],
  [`${TRIGGER}series: [{step: 1, vals: {}}]`, '2:20', 'unknown key "vals"'],
  [`${TRIGGER}series: [{step: 1, values: 3}]`, '2:20', 'map of keys'],
  [`${TRIGGER}series: [{step: 1, time: noon}]`, '2:20', 'a time'],
  [`${TRIGGER}series: [{step: 1, expect: fried}]`, '2:20', 'one of fired'],
  [`${TRIGGER}series: [{step: 1, expect: {verdict: firing}}]`, '2:29', 'fired'],
  [`${TRIGGER}series: [{step: 1, expect: {late: 3}}]`, '2:29', 'true or false'],
  [`${TRIGGER}series: [{step: 1, expect: {indicator: yes}}]`, '2:29', 'null'],
  [`${TRIGGER}series: [{step: 1, parts: [{bytes: 3}]}]`, '2:28', 'a box'],
  [`${TRIGGER}series: [{rollback: 1, step: 3}]`, '2:24', 'unknown key "step"'],
  [`${TRIGGER}values: {mx: [1, 2], bad: [1]}`, '2:22', '2 entries'],
  [`${TRIGGER}values: {mx: [1, 2]}\nexpect: [quiet]`, '3:1', '2 entries'],
  [`${TRIGGER}values: {mx: [1]}\nsteps: [x]`, '3:9', 'a step'],
])('a bad one is refused at its place: %j', async (text, at, said) => {
  const failure = await read(text).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(DefinitionError);
  const { message } = failure as DefinitionError;
  expect([message.split(':').slice(1, 3).join(':'), message]).toEqual([at, expect.stringContaining(said)]);
});
