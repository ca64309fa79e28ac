import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RegisterReply, TriggerListReply, TriggerReply } from '@tidegate/protocol';
import { type Cluster, startCluster } from '../cluster.js';
import type { PlainClient } from '../plain-client.js';

let cluster: Cluster;
let plain: PlainClient;

beforeAll(async () => {
  cluster = await startCluster({ raw: 1, shards: 4 });
  plain = await cluster.plain();
  await plain.control('tide.v1.variable.declare', { name: 'f', dtype: 'float64', shape: [8, 8] });
  await plain.control('tide.v1.variable.declare', { name: 'c', dtype: 'complex64', shape: [8] });
  await plain.control('tide.v1.variable.declare', { name: 'o', dtype: 'bytes', shape: [8] });
  await register({ name: 'standing', on: { variable: 'f' }, check: { mx: { reduce: 'max' } } });
}, 60_000);
afterAll(() => cluster?.stop());

function register(definition: unknown) {
  return plain.request('tide.v1.trigger.register', JSON.stringify(definition));
}

/** A good definition but for what is given. */
function withPart(part: object): object {
  return { name: 'standing', on: { variable: 'f' }, ...part };
}
const on = (part: object): object => withPart({ on: { variable: 'f', ...part } });
const check = (x: unknown): object => withPart({ check: { x } });
const compare = (part: object): object => withPart({ check: { mx: { reduce: 'max' } }, compare: part });
const condition = (text: unknown): object => compare({ condition: text });
const action = (...actions: unknown[]): object => withPart({ action: actions });
const DIGEST = `sha256:${'0'.repeat(64)}`;

/** Nested so deep, the outermost counted. */
function nested(depth: number): object {
  const inner = (left: number): object => ({
    trigger: { name: `t${left}`, ...(left > 1 && { action: [inner(left - 1)] }) },
  });
  return action(inner(depth - 1));
}

/** What is wrong, the definition, and the place that the refusal names. */
const BAD: readonly (readonly [string, unknown, string])[] = [
  ['no name', { on: { variable: 'f' } }, 'name'],
  ['a name with a blank', { name: 'a b', on: { variable: 'f' } }, 'name'],
  ['a name that is a number', { name: 7, on: { variable: 'f' } }, 'name'],
  ['a name of 65 letters', { name: 'a'.repeat(65), on: { variable: 'f' } }, 'name'],
  ['the separator of nested names', { name: 'a~b', on: { variable: 'f' } }, 'name'],
  ['an unknown key', withPart({ chekc: {} }), 'chekc'],
  ['no scope', { name: 'x' }, 'on'],
  ['a scope that is text', withPart({ on: 'f' }), 'on'],
  ['no variable', withPart({ on: {} }), 'on.variable'],
  ['a variable that is no name', withPart({ on: { variable: 'f.g' } }), 'on.variable'],
  ['an unknown key of the scope', on({ boxx: '0:1,0:1' }), 'on.boxx'],
  ['a box of too few dimensions', on({ box: '0:4' }), 'on.box'],
  ['an empty box', on({ box: '4:4,0:8' }), 'on.box'],
  ['a box that is no box', on({ box: 'all' }), 'on.box'],
  ['a box whose corners are turned round', on({ box: { lower: [4, 4], upper: [2, 2] } }), 'on.box'],
  ['a run that is no pattern', on({ run: 'a.b' }), 'on.run'],
  ['every 0', on({ every: 0 }), 'on.every'],
  ['every one and a half', on({ every: 1.5 }), 'on.every'],
  ['an unknown occasion', on({ when: 'always' }), 'on.when'],
  ['checks as a list', withPart({ check: [] }), 'check'],
  ['a check of nothing', check({}), 'check.x'],
  ['an unknown reduction', check({ reduce: 'median' }), 'check.x.reduce'],
  ['two checks in one', check({ reduce: 'max', components: { above: 1 } }), 'check.x.components'],
  ['an unknown key of a check', check({ reduce: 'max', of: 1 }), 'check.x.of'],
  ['a histogram without a range', check({ reduce: 'histogram', bins: 4 }), 'check.x.range'],
  ['a range turned round', check({ reduce: 'histogram', range: [2, 1] }), 'check.x.range'],
  ['a range of one number', check({ reduce: 'histogram', range: [2] }), 'check.x.range'],
  ['no bins', check({ reduce: 'histogram', range: [0, 1], bins: 0 }), 'check.x.bins'],
  ['too many bins', check({ reduce: 'entropy', range: [0, 1], bins: 5000 }), 'check.x.bins'],
  ['a quantile without q', check({ reduce: 'quantile' }), 'check.x.q'],
  ['a quantile above 1', check({ reduce: 'quantile', q: 1.5 }), 'check.x.q'],
  ['a parameter of another reduction', check({ reduce: 'max', q: 0.5 }), 'check.x.q'],
  ['a difference from nothing', check({ reduce: 'l2_diff' }), 'check.x.against'],
  ['a difference from something unknown', check({ reduce: 'l2_diff', against: 'next' }), 'check.x.against'],
  ['a threshold that is text', check({ reduce: 'count', above: 'x' }), 'check.x.above'],
  ['components of nothing', check({ components: {} }), 'check.x.components'],
  [
    'a connectivity of another rank',
    check({ components: { above: 1, connectivity: 5 } }),
    'check.x.components.connectivity',
  ],
  ['a digest that is none', check({ wasm: { digest: 'sha1:00', export: 'f' } }), 'check.x.wasm.digest'],
  ['a kernel that nobody stored', check({ wasm: { digest: DIGEST, export: 'f' } }), 'check.x.wasm.digest'],
  ['an export with a blank', check({ wasm: { digest: DIGEST, export: 'a b' } }), 'check.x.wasm.export'],
  ['no time for a kernel', check({ wasm: { digest: DIGEST, export: 'f' }, limits: { ms: 0 } }), 'check.x.limits.ms'],
  ['a call of Tidegate itself', check({ call: { subject: 'tide.v1.put' } }), 'check.x.call.subject'],
  ['a call of the server', check({ call: { subject: '$JS.API.INFO' } }), 'check.x.call.subject'],
  ['a call of many subjects', check({ call: { subject: 'a.*' } }), 'check.x.call.subject'],
  ['a call that waits for ever', check({ call: { subject: 'a', timeoutMs: 1e9 } }), 'check.x.call.timeoutMs'],
  ['a name that no expression could use', withPart({ check: { 'a-b': { reduce: 'max' } } }), 'check.a-b'],
  ['a name that expressions have already', withPart({ check: { step: { reduce: 'max' } } }), 'check.step'],
  [
    'a number of complex numbers',
    { name: 'x', on: { variable: 'c' }, check: { x: { reduce: 'max' } } },
    'check.x.reduce',
  ],
  [
    'a number of opaque objects',
    { name: 'x', on: { variable: 'o' }, check: { x: { reduce: 'max' } } },
    'check.x.reduce',
  ],
  ['an empty condition', condition(''), 'compare.condition'],
  ['a condition that is true', condition(true), 'compare.condition'],
  ['a condition of 5,000 characters', condition(`step > 0${' '.repeat(5000)}`), 'compare.condition'],
  ['a recovery of no checks', compare({ recovery: 'mn < 1.0' }), 'compare.recovery'],
  ['a negative for', compare({ for: -1 }), 'compare.for'],
  ['half a step', compare({ cooldown: 0.5 }), 'compare.cooldown'],
  ['an unknown edge', compare({ edge: 'falling' }), 'compare.edge'],
  ['a history of nothing', compare({ history: 0 }), 'compare.history'],
  ['an unknown way with the unknown', compare({ onUnknown: 'ignore' }), 'compare.onUnknown'],
  ['an unknown key of compare', compare({ keepFiring: 1 }), 'compare.keepFiring'],
  ['an action of nothing', action({}), 'action.0'],
  ['an unknown action', action({ emit: {} }, { mail: {} }), 'action.1.mail'],
  ['two actions in one', action({ emit: {}, persist: {} }), 'action.0.persist'],
  ['seventeen actions', action(...Array(17).fill({ emit: {} })), 'action'],
  ['a pin of no steps', action({ pin: { steps: 0 } }), 'action.0.pin.steps'],
  ['a task without a name', action({ task: {} }), 'action.0.task.name'],
  ['a task with a dot', action({ task: { name: 'a.b' } }), 'action.0.task.name'],
  ['an unknown steer', action({ steer: { op: 'go' } }), 'action.0.steer.op'],
  ['data derived to nowhere', action({ derive: { transform: { downsample: 2 } } }), 'action.0.derive.to'],
  ['no transform', action({ derive: { transform: {}, to: 'f' } }), 'action.0.derive.transform'],
  ['data derived from itself', action({ derive: { transform: { downsample: 2 }, to: 'f' } }), 'action.0.derive.to'],
  [
    'a slice of an axis that is not there',
    action({ derive: { transform: { slice: { axis: 2, index: 0 } }, to: 'c' } }),
    'action.0.derive.transform.slice.axis',
  ],
  ['a nested trigger with a scope', action({ trigger: { name: 'n', on: { variable: 'f' } } }), 'action.0.trigger.on'],
  ['a nested trigger without a name', action({ trigger: {} }), 'action.0.trigger.name'],
  [
    'two nested ones of a name',
    action({ trigger: { name: 'n' } }, { trigger: { name: 'n' } }),
    'action.1.trigger.name',
  ],
  [
    'a bad condition in a nested one',
    action({ trigger: { name: 'n', compare: { condition: 'mx > 1' } } }),
    'action.0.trigger.compare.condition',
  ],
  ['five levels', nested(5), 'action.0.trigger.action.0.trigger.action.0.trigger.action.0.trigger'],
];

/** Conditions with the column, from 1, that the refusal names. */
const BAD_CONDITIONS: readonly (readonly [string, string, number])[] = [
  ['an unknown name', 'step > 1 && mn > 1.0', 13],
  ['a number', 'mx + 1.0', 1],
  ['half an expression', 'mx >', 5],
  ['text compared with a number', 'step > 1 || mx > "a"', 13],
  ['an unknown function', 'step > 1 && median(history.mx) > 1.0', 13],
  ['the history of no check', 'step > 1 && movavg(history.mn, 2) > 1.0', 28],
  ['an assignment', 'mx = 1.0', 4],
];

async function standing(): Promise<TriggerReply> {
  const { triggers } = (await plain.control('tide.v1.trigger.list', {})).json<TriggerListReply>();
  expect(triggers.map(({ name }) => name)).toEqual(['standing']);
  return triggers[0] as TriggerReply;
}

test.each(BAD)('refuses %s', async (_, definition, field) => {
  const reply = await register(definition);
  const { code, field: named, retryable, message } = reply.json();
  expect({ status: reply.status, code, field: named, retryable }).toEqual({
    status: 400,
    code: 'BAD_REQUEST',
    field,
    retryable: false,
  });
  expect(String(message)).toMatch(/\S{3}/);
});

test.each(BAD_CONDITIONS)('tells the column of %s', async (_, text, column) => {
  const reply = await register(condition(text));
  expect(reply.json()).toMatchObject({ code: 'BAD_REQUEST', field: 'compare.condition' });
  expect(String(reply.json()['message'])).toContain(`column ${column}`);
});

test('refuses expressions that would explode', async () => {
  const all = `parts.all(a, ${'parts.all(b, '.repeat(8)}true${')'.repeat(9)}`;
  const list = `[${Array(600).fill('1').join(',')}].size() > 0`;
  const deep = `${'('.repeat(400)}true${')'.repeat(400)}`;
  for (const text of [all, list, deep]) {
    const reply = await register(condition(text));
    expect([text.slice(0, 20), reply.status, reply.json()['field']]).toEqual([
      text.slice(0, 20),
      400,
      'compare.condition',
    ]);
  }
});

test('refuses what is no map, or too large', async () => {
  for (const body of ['[]', '{', '"x"', JSON.stringify(action({ emit: { data: { text: 'x'.repeat(70_000) } } }))]) {
    expect((await plain.request('tide.v1.trigger.register', body)).status).toBeGreaterThanOrEqual(400);
  }
});

test('none of them changed what stands', async () => {
  expect(await standing()).toMatchObject({ generation: 1, enabled: true });
  const again = await register({ name: 'standing', on: { variable: 'f' }, check: { mx: { reduce: 'max' } } });
  expect(again.json<RegisterReply>()).toMatchObject({ generation: 1 });
  expect(BAD.length + BAD_CONDITIONS.length).toBeGreaterThanOrEqual(50);
});
