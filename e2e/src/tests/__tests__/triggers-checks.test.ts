import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Tidegate } from '@tidegate/client';
import { type Box, boxOfShape, formatBox, shapeOf } from '@tidegate/geometry';
import type { DecisionReply, ExplainReply, TriggerDefinitionInput } from '@tidegate/protocol';
import { seededRandom, until } from '@tidegate/testing';
import { cellsOf } from '../cells.js';
import { startTriggerCluster, type TriggerCluster } from '../trigger-cluster.js';
import { unevenBoxes } from '../uneven-boxes.js';
import { KERNEL_BODIES, kernelModule } from '../user-kernel.js';

let triggers: TriggerCluster;
let sdk: Tidegate;
const SHAPE = [18, 14, 10];
const DOMAIN = boxOfShape(SHAPE);
const CUTS = [1, 8, 27];

beforeAll(async () => {
  triggers = await startTriggerCluster({ raw: 3, meta: 2, shards: 4 });
  sdk = await triggers.cluster.sdk();
  await triggers.engine('one');
}, 60_000);
afterAll(() => triggers?.stop());

/** Numbers with holes and infinities, apart from zero so that a lost cell would be seen. */
function fieldOf(seed: number): Float64Array {
  const random = seededRandom(seed);
  const cells = Float64Array.from({ length: SHAPE.reduce((a, b) => a * b) }, () => 1000 + random.next() * 500);
  for (let n = 0; n < 20; n++) cells[random.int(0, cells.length)] = Number.NaN;
  return cells;
}

async function put(variable: string, at: { run: string; step: number }, cells: Float64Array, boxes: readonly Box[]) {
  await Promise.all(
    boxes.map((box) => {
      const part = Float64Array.from(cellsOf(SHAPE, box), (cell) => cells[cell] ?? 0);
      return sdk.put({ variable, ...at, box, data: part });
    }),
  );
}

async function decided(name: string, count: number): Promise<readonly DecisionReply[]> {
  const what = `${count} decisions of ${name}`;
  return until(
    async () => {
      const decisions = await triggers.decisions(name);
      return decisions.length >= count && decisions;
    },
    { what, timeoutMs: 20_000 },
  );
}

async function control(operation: string, body: object): Promise<Record<string, unknown>> {
  return (await triggers.plain.control(`tide.v1.${operation}`, body)).json();
}

/** The cells of a box that are numbers, with their coordinates. */
function numbersOf(cells: Float64Array, box: Box): { readonly value: number; readonly at: readonly number[] }[] {
  return [...cellsOf(SHAPE, box)]
    .map((cell) => ({
      value: cells[cell] ?? 0,
      at: [Math.floor(cell / 140), Math.floor(cell / 10) % 14, cell % 10],
    }))
    .filter(({ value }) => !Number.isNaN(value));
}

test('reductions equal a plain reference, whatever the cut', async () => {
  await sdk.declare({ name: 'red', dtype: 'float64', shape: SHAPE });
  const box = '2:18,0:11,3:10';
  const check: TriggerDefinitionInput['check'] = {
    mn: { reduce: 'min' },
    mx: { reduce: 'max' },
    where: { reduce: 'argmax' },
    total: { reduce: 'sum' },
    avg: { reduce: 'mean' },
    spread: { reduce: 'std' },
    bad: { reduce: 'nan_count' },
    hot: { reduce: 'count', above: 1400 },
    hist: { reduce: 'histogram', bins: 10, range: [1000, 1500] },
    median: { reduce: 'quantile', q: 0.5 },
  };
  await triggers.register({ name: 'red', on: { variable: 'red', box }, check, compare: { condition: 'mx > 1400.0' } });
  const cells = fieldOf(1);
  for (const cut of CUTS) {
    await put('red', { run: `cut${cut}`, step: 1 }, cells, unevenBoxes(SHAPE, cut, seededRandom(cut)));
  }
  const region = { lower: [2, 0, 3], upper: [18, 11, 10] };
  const numbers = numbersOf(cells, region);
  const values = numbers.map(({ value }) => value).sort((a, b) => a - b);
  const total = values.reduce((a, b) => a + b, 0);
  const mean = total / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const hist = new Array<number>(10).fill(0);
  for (const value of values) hist[Math.floor((value - 1000) / 50)] = (hist[Math.floor((value - 1000) / 50)] ?? 0) + 1;
  const middle = (values.length - 1) / 2;
  const [low = 0, high = 0] = [values[Math.floor(middle)], values[Math.ceil(middle)]];
  for (const { values: found, verdict } of await decided('red', CUTS.length)) {
    expect(verdict).toBe('fired');
    expect(found).toMatchObject({
      mn: values[0],
      mx: values.at(-1),
      where: numbers.find(({ value }) => value === values.at(-1))?.at,
      bad: shapeOf(region).reduce((a, b) => a * b) - values.length,
      hot: values.filter((value) => value > 1400).length,
      hist,
    });
    const near = { total, avg: mean, spread: std, median: low + (high - low) * (middle - Math.floor(middle)) };
    for (const [name, expected] of Object.entries(near)) {
      expect(Math.abs(Number(found[name]) - expected) / expected).toBeLessThan(1e-12);
    }
  }
});

test('blobs are counted across pieces', async () => {
  await sdk.declare({ name: 'blob', dtype: 'float64', shape: SHAPE });
  await triggers.register({
    name: 'blob',
    on: { variable: 'blob' },
    check: { n: { components: { above: 0.5, connectivity: 6 } } },
    compare: { condition: 'n == 2' },
  });
  const cells = new Float64Array(SHAPE.reduce((a, b) => a * b));
  // A rod through the whole domain, and one cell that touches it at an edge only.
  for (let x = 0; x < 18; x++) cells[x * 140 + 7 * 10 + 5] = 1;
  cells[9 * 140 + 8 * 10 + 6] = 1;
  for (const cut of CUTS) {
    await put('blob', { run: `cut${cut}`, step: 0 }, cells, unevenBoxes(SHAPE, cut, seededRandom(cut)));
  }
  const found = await decided('blob', CUTS.length);
  expect(found.map(({ values, verdict }) => [values['n'], verdict])).toEqual(CUTS.map(() => [2, 'fired']));
});

test('steps are compared with the decided one before, however each was cut', async () => {
  await sdk.declare({ name: 'diff', dtype: 'float64', shape: SHAPE });
  await triggers.register({
    name: 'diff',
    on: { variable: 'diff' },
    check: { d: { reduce: 'linf_diff', against: 'previous' } },
    compare: { condition: 'd > 5.0' },
  });
  const cells = fieldOf(2);
  for (const [step, cut] of [1, 27, 8].entries()) {
    if (step === 2) cells[1234] = (cells[1234] || 1200) + 10;
    await put('diff', { run: 'r', step: step * 3 }, cells, unevenBoxes(SHAPE, cut, seededRandom(cut)));
    await decided('diff', step + 1);
  }
  const found = await triggers.decisions('diff');
  expect(found.map(({ step, verdict }) => [step, verdict])).toEqual([
    [0, 'unknown'],
    [3, 'quiet'],
    [6, 'fired'],
  ]);
  expect(found[0]?.failures?.['d']).toBe('no step before this one was decided');
  expect(found[2]?.values['d']).toBeCloseTo(10, 9);
});

test('lists of pieces are read by expressions, and a decision is explained from them', async () => {
  await sdk.declare({ name: 'parts', dtype: 'float64', shape: SHAPE });
  await triggers.register({
    name: 'parts',
    on: { variable: 'parts' },
    check: { mx: { reduce: 'max' } },
    compare: { condition: 'parts.exists(p, p.mx < 1.0) && size(parts) == 8' },
  });
  const boxes = unevenBoxes(SHAPE, 8, seededRandom(5));
  const cells = new Float64Array(SHAPE.reduce((a, b) => a * b)).fill(3);
  const [calm = DOMAIN] = boxes;
  for (const cell of cellsOf(SHAPE, calm)) cells[cell] = 0.5;
  await put('parts', { run: 'r', step: 4 }, cells, boxes);
  expect(await decided('parts', 1)).toMatchObject([{ verdict: 'fired', values: { mx: 3 } }]);
  const explained = (await control('trigger.explain', { name: 'parts', run: 'r', step: 4 })) as unknown as ExplainReply;
  expect(explained.parts).toHaveLength(8);
  expect(explained.parts?.filter(({ values }) => values['mx'] === 0.5).map(({ box }) => box)).toEqual([
    formatBox(calm),
  ]);
  expect(explained.condition[0]).toMatchObject({ value: true });
  expect(await control('trigger.explain', { name: 'parts', run: 'r', step: 5 })).toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('not covered'),
  });
});

describe('responders outside', () => {
  test('answer checks; a slow or dead one delays its own trigger alone', async () => {
    await sdk.declare({ name: 'ext', dtype: 'float64', shape: SHAPE });
    triggers.plain.connection.subscribe('analysis.count', {
      callback: (_, message) => message.respond('{"blobs": 3}'),
    });
    triggers.plain.connection.subscribe('analysis.dead', { callback: () => {} });
    await triggers.plain.connection.flush();
    const on = { variable: 'ext' };
    const call = (subject: string) => ({ ext: { call: { subject, timeoutMs: 3000 } } });
    const compare = { condition: 'ext.blobs == 3' };
    await triggers.register({ name: 'dead', on, check: call('analysis.dead'), compare });
    await triggers.register({ name: 'alive', on, check: call('analysis.count'), compare });
    const start = performance.now();
    await put('ext', { run: 'r', step: 0 }, new Float64Array(SHAPE.reduce((a, b) => a * b)), [DOMAIN]);
    expect(await decided('alive', 1)).toMatchObject([{ verdict: 'fired', values: { ext: { blobs: 3 } } }]);
    expect(performance.now() - start).toBeLessThan(2500);
    expect(await decided('dead', 1)).toMatchObject([{ verdict: 'unknown', indicator: null }]);
  });
});

test('a kernel of a user that misbehaves costs an unknown decision and nothing else', async () => {
  await sdk.declare({ name: 'user', dtype: 'float64', shape: SHAPE });
  const { digest, exports } = await sdk.kernels.put(kernelModule());
  expect([...exports].sort()).toEqual(Object.keys(KERNEL_BODIES).sort());
  const check: NonNullable<TriggerDefinitionInput['check']> = {};
  for (const name of Object.keys(KERNEL_BODIES)) check[name] = { wasm: { digest, export: name }, merge: 'max' };
  // The time is that of the clock: beside five that burn theirs, 50 ms are no bound for the one that behaves.
  check['first'] = { wasm: { digest, export: 'first' }, merge: 'max', limits: { ms: 5000, pages: 256 } };
  await triggers.register({ name: 'user', on: { variable: 'user' }, check, compare: { condition: 'first == 7.0' } });
  for (const name of Object.keys(KERNEL_BODIES).filter((kernel) => kernel !== 'first')) {
    const one = { [name]: check[name] ?? {} };
    await triggers.register({ name, on: { variable: 'user' }, check: one, compare: { condition: `${name} == 7.0` } });
  }
  const cells = new Float64Array(SHAPE.reduce((a, b) => a * b)).fill(7);
  await put('user', { run: 'r', step: 0 }, cells, unevenBoxes(SHAPE, 8, seededRandom(1)));
  const [whole] = await decided('user', 1);
  expect(whole?.failures).not.toHaveProperty('first');
  expect(whole).toMatchObject({ verdict: 'fired', values: { first: 7 } });
  expect(Object.keys(whole?.failures ?? {}).sort()).toEqual(['fails', 'grows', 'lies', 'loops', 'traps']);
  for (const name of ['loops', 'grows', 'traps', 'lies', 'fails']) {
    expect(await decided(name, 1)).toMatchObject([{ verdict: 'unknown', values: {} }]);
  }
});

test('a dry run decides staged steps without committing or acting', async () => {
  await sdk.declare({ name: 'dry', dtype: 'float64', shape: SHAPE });
  const cells = new Float64Array(SHAPE.reduce((a, b) => a * b));
  for (const step of [0, 1, 2]) await put('dry', { run: 'r', step }, cells.fill(step), [DOMAIN]);
  const definition: TriggerDefinitionInput = {
    name: 'dry',
    on: { variable: 'dry' },
    check: { mx: { reduce: 'max' } },
    compare: { condition: 'mx >= 1.0', for: 2 },
    action: [{ trigger: { name: 'inner', check: { mn: { reduce: 'min' } } } }],
  };
  const { decisions, notCovered } = await sdk.triggers.test({ definition, run: 'r', steps: '0:4' });
  expect(decisions.map(({ trigger, step, state }) => [trigger, step, state])).toEqual([
    ['dry', 0, 'inactive'],
    ['dry', 1, 'pending'],
    ['dry', 2, 'firing'],
    ['dry~inner', 2, 'firing'],
  ]);
  expect(notCovered).toEqual([3]);
  expect(await control('trigger.decisions', { name: 'dry' })).toMatchObject({ code: 'UNKNOWN_TRIGGER' });
});
