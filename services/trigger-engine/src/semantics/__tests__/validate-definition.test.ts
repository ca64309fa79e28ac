import { describe, expect, test } from '@jest/globals';
import { BadRequestError, TRIGGER_LIMITS, type TriggerDefinitionInput } from '@tidegate/protocol';
import { type DefinitionContext, validateDefinition } from '../validate-definition.js';

const CONTEXT: DefinitionContext = { variable: { name: 'T', dtype: 'float64', shape: [256, 256] } };
const DIGEST = `sha256:${'0f'.repeat(32)}`;

function define(parts: object): object {
  return { name: 'hot', on: { variable: 'T' }, ...parts };
}

function withMax(compare: object): object {
  return define({ check: { mx: { reduce: 'max' }, hist: { reduce: 'histogram', range: [0, 1] } }, compare });
}

function withAction(...action: object[]): object {
  return define({ action });
}

function nest(levels: number): object {
  return levels === 1 ? { name: 't1' } : { name: `t${levels}`, action: [{ trigger: nest(levels - 1) }] };
}

function refusal(definition: unknown, context: Partial<DefinitionContext> = {}): BadRequestError {
  try {
    validateDefinition(definition, { ...CONTEXT, ...context });
  } catch (error) {
    if (error instanceof BadRequestError) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(definition)}`);
}

/** Bad definitions, each with the place that its refusal must name. */
const BAD: readonly (readonly [field: string, definition: unknown])[] = [
  ['body', []],
  ['name', {}],
  ['name', { name: '', on: { variable: 'T' } }],
  ['name', define({ name: 'hot~confirm' })],
  ['on', { name: 'hot' }],
  ['on.variable', { name: 'hot', on: {} }],
  ['on.variable', { name: 'hot', on: { variable: 'U' } }],
  ['on.box', define({ on: { variable: 'T', box: '0:256' } })],
  ['on.box', define({ on: { variable: 'T', box: '0:256,0:257' } })],
  ['on.box', define({ on: { variable: 'T', box: '8:8,0:8' } })],
  ['on.box', define({ on: { variable: 'T', box: 'all' } })],
  ['on.run', define({ on: { variable: 'T', run: 'a b' } })],
  ['on.run', define({ on: { variable: 'T', run: '' } })],
  ['on.every', define({ on: { variable: 'T', every: 0 } })],
  ['on.every', define({ on: { variable: 'T', every: -3 } })],
  ['on.when', define({ on: { variable: 'T', when: 'sometimes' } })],
  ['on.runs', define({ on: { variable: 'T', runs: '*' } })],
  ['checks', define({ checks: {} })],
  ['__proto__', JSON.parse('{"name":"hot","on":{"variable":"T"},"__proto__":{}}')],
  ['check.__proto__', define({ check: JSON.parse('{"__proto__":{"reduce":"max"}}') })],
  ['check.m-x', define({ check: { 'm-x': { reduce: 'max' } } })],
  ['check.step', define({ check: { step: { reduce: 'max' } } })],
  ['check.int', define({ check: { int: { reduce: 'max' } } })],
  ['check.m', define({ check: { m: {} } })],
  ['check.m.call', define({ check: { m: { reduce: 'max', call: { subject: 'a' } } } })],
  ['check.m.reduce', define({ check: { m: { reduce: 'median' } } })],
  ['check.m.bins', define({ check: { m: { reduce: 'max', bins: 4 } } })],
  ['check.h.range', define({ check: { h: { reduce: 'histogram', bins: 4 } } })],
  ['check.h.range', define({ check: { h: { reduce: 'histogram', range: [5, 5] } } })],
  ['check.h.bins', define({ check: { h: { reduce: 'histogram', bins: 1e6, range: [0, 1] } } })],
  ['check.q.q', define({ check: { q: { reduce: 'quantile' } } })],
  ['check.q.q', define({ check: { q: { reduce: 'quantile', q: 95 } } })],
  ['check.f', define({ check: { f: { reduce: 'fraction' } } })],
  ['check.f.below', define({ check: { f: { reduce: 'fraction', above: 2, below: 1 } } })],
  ['check.d.against', define({ check: { d: { reduce: 'l2_diff' } } })],
  ['check.d.against', define({ check: { d: { reduce: 'l2_diff', against: 'last' } } })],
  ['check.b.components', define({ check: { b: { components: {} } } })],
  ['check.b.components.connectivity', define({ check: { b: { components: { above: 1, connectivity: 5 } } } })],
  ['check.w.wasm.digest', define({ check: { w: { wasm: { digest: 'abc', export: 'f' } } } })],
  ['check.w.limits.ms', define({ check: { w: { wasm: { digest: DIGEST, export: 'f' }, limits: { ms: 1e9 } } } })],
  ['check.c.call.subject', define({ check: { c: { call: { subject: 'tide.v1.put' } } } })],
  ['check.c.call.timeoutMs', define({ check: { c: { call: { subject: 'a', timeoutMs: 1e9 } } } })],
  ['compare.condition', withMax({ condition: 'mx >' })],
  ['compare.condition', withMax({ condition: 'max > 1.0' })],
  ['compare.condition', withMax({ condition: 'mx' })],
  ['compare.condition', withMax({ condition: 'mx > "hot"' })],
  ['compare.condition', withMax({ condition: 'history.mn[0] > 1.0' })],
  ['compare.condition', withMax({ condition: 'history.hist[0] > 1.0' })],
  ['compare.condition', withMax({ condition: 'movavg(history.mx, 9) > 1.0' })],
  ['compare.condition', withMax({ condition: 'parts.all(p, parts.all(q, p.mx > q.mx))' })],
  ['compare.condition', withMax({ condition: `${'('.repeat(100)}true${')'.repeat(100)}` })],
  ['compare.condition', withMax({ condition: `mx > ${'1'.repeat(5000)}.0` })],
  ['compare.recovery', withMax({ condition: 'mx > 1.0', recovery: 'mx - 1.0' })],
  ['compare.for', withMax({ for: -1 })],
  ['compare.for', withMax({ for: 1.5 })],
  ['compare.edge', withMax({ edge: 'both' })],
  ['compare.cooldown', withMax({ cooldown: 'long' })],
  ['compare.history', withMax({ history: 0 })],
  ['compare.history', withMax({ history: 4096 })],
  ['compare.onUnknown', withMax({ onUnknown: 'ignore' })],
  ['compare.until', withMax({ until: 3 })],
  ['action', define({ action: {} })],
  ['action.0', withAction({})],
  ['action.0.notify', withAction({ notify: {} })],
  ['action.0.pin', withAction({ emit: {}, pin: {} })],
  ['action.1.pin.steps', withAction({ persist: {} }, { pin: { steps: 0 } })],
  ['action.0.task.name', withAction({ task: { name: 'a.b' } })],
  ['action.0.call.subject', withAction({ call: { subject: 'a.*' } })],
  ['action.0.derive.to', withAction({ derive: { transform: { downsample: 2 }, to: 'T' } })],
  ['action.0.derive.transform', withAction({ derive: { transform: {}, to: 'S' } })],
  [
    'action.0.derive.transform.slice.axis',
    withAction({ derive: { transform: { slice: { axis: 2, index: 0 } }, to: 'S' } }),
  ],
  ['action.0.steer.op', withAction({ steer: { op: 'halt' } })],
  ['action.0.steer.args', withAction({ steer: { op: 'set' } })],
  ['action.1.trigger.name', withAction({ trigger: { name: 'a' } }, { trigger: { name: 'a' } })],
  ['action.0.trigger.on', withAction({ trigger: { name: 'a', on: { variable: 'T' } } })],
  ['action.0.trigger.check.m.q', withAction({ trigger: { name: 'a', check: { m: { reduce: 'max', q: 1 } } } })],
  ['action.0.trigger.compare.condition', withAction({ trigger: { name: 'a', compare: { condition: 'mx > 1.0' } } })],
  ['action.0.trigger.action.0.trigger.action.0.trigger.action.0.trigger', { ...nest(5), on: { variable: 'T' } }],
];

describe('bad definitions', () => {
  test('there are at least 50 of them', () => {
    expect(BAD.length).toBeGreaterThanOrEqual(50);
  });

  test.each(BAD)('%s: %j', (field, definition) => {
    const error = refusal(definition);
    expect(error.field).toBe(field);
    expect(error.status).toBe(400);
    expect(error.message).not.toMatch(/[\r\n]/);
    expect(error.message.length).toBeGreaterThan(10);
  });

  test('an expression is refused with the column', () => {
    const column = (condition: string) => refusal(withMax({ condition })).message;
    expect(column('mx > 1.0 && foo')).toBe('compare.condition: Unknown variable: foo (column 13)');
    expect(column('mx > 1.0 &&\n  foo')).toBe('compare.condition: Unknown variable: foo (line 2, column 3)');
  });

  test('checks that read numbers are refused on a variable that has none', () => {
    const bytes = { variable: { name: 'T', dtype: 'bytes', shape: [4, 4] } } as const;
    const complex = { variable: { name: 'T', dtype: 'complex64', shape: [4, 4] } } as const;
    for (const context of [bytes, complex]) {
      expect(refusal(define({ check: { m: { reduce: 'max' } } }), context).field).toBe('check.m.reduce');
      expect(refusal(define({ check: { m: { components: { above: 1 } } } }), context).field).toBe('check.m.components');
    }
    expect(validateDefinition(define({ compare: { condition: 'step > 3' } }), bytes).triggers).toHaveLength(1);
  });

  test('with "when: partition" nothing can be remembered', () => {
    const partition = (parts: object) => refusal(define({ on: { variable: 'T', when: 'partition' }, ...parts })).field;
    expect(partition({ compare: { for: 2 } })).toBe('compare.for');
    expect(partition({ compare: { keepFiringFor: 1 } })).toBe('compare.keepFiringFor');
    expect(partition({ compare: { recovery: 'step > 3' } })).toBe('compare.recovery');
    expect(partition({ compare: { edge: 'rising' } })).toBe('compare.edge');
    expect(partition({ compare: { cooldown: 1 } })).toBe('compare.cooldown');
    expect(partition({ check: { d: { reduce: 'l2_diff', against: 'previous' } } })).toBe('check.d.against');
    expect(partition({ check: { m: { reduce: 'max' } }, compare: { condition: 'delta(history.m) > 0.0' } })).toBe(
      'compare.condition',
    );
    expect(partition({ action: [{ trigger: { name: 'a', compare: { for: 5 } } }] })).toBe(
      'action.0.trigger.compare.for',
    );
    const fine = define({ on: { variable: 'T', when: 'partition' }, compare: { for: 1 } });
    expect(validateDefinition(fine, CONTEXT).ordered).toBe(false);
  });

  test('derived data must not make itself anew, whoever else is on the way', () => {
    const derivations = [
      { from: 'S', to: 'U' },
      { from: 'U', to: 'T' },
      { from: 'U', to: 'V' },
    ];
    const derive = (to: string) => withAction({ derive: { transform: { downsample: 2 }, to } });
    const error = refusal(derive('S'), { derivations });
    expect(error.field).toBe('action.0.derive.to');
    expect(error.message).toContain('T -> S -> U -> T');
    expect(validateDefinition(derive('V'), { ...CONTEXT, derivations }).derivations).toEqual([{ from: 'T', to: 'V' }]);
    const nested = withAction({
      trigger: { name: 'a', action: [{ derive: { transform: { downsample: 2 }, to: 'T' } }] },
    });
    expect(refusal(nested).field).toBe('action.0.trigger.action.0.derive.to');
  });

  test('sizes are bounded', () => {
    const checks = Object.fromEntries(
      Array.from({ length: TRIGGER_LIMITS.checks + 1 }, (_, index) => [`c${index}`, { reduce: 'max' }]),
    );
    expect(refusal(define({ check: checks })).field).toBe('check');
    expect(refusal(withAction({ emit: { data: { text: 'x'.repeat(70_000) } } })).field).toBe('body');
    let deep: unknown = 1;
    for (let level = 0; level < 16_000; level++) deep = [deep];
    expect(refusal(withAction({ emit: { data: { deep } } })).field).toBe('body');
    const wide = { name: 'a', action: Array.from({ length: 9 }, (_, index) => ({ trigger: { name: `b${index}` } })) };
    const many = Array.from({ length: 8 }, (_, index) => ({ trigger: { ...wide, name: `a${index}` } }));
    expect(refusal(withAction(...many)).message).toContain('at most 64 triggers');
    const two = { a: { reduce: 'max' }, b: { reduce: 'min' } };
    const both = { condition: 'history.a[0] > history.b[0]', history: 513 };
    expect(refusal(define({ check: two, compare: both })).field).toBe('compare.history');
    expect(validateDefinition(define({ check: two, compare: { ...both, history: 512 } }), CONTEXT).ordered).toBe(true);
  });

  test('integers that no number can hold are refused', () => {
    expect(refusal(withAction({ emit: { data: { a: 2n ** 60n } } })).field).toBe('action.0.emit.data.a');
  });
});

/** The example of the wire contract. */
const EXAMPLE: TriggerDefinitionInput = {
  name: 'hot',
  on: { variable: 'T', box: '0:256,0:256', run: '*', every: 1, when: 'covered' },
  check: {
    mx: { reduce: 'max' },
    bad: { reduce: 'nan_count' },
    d: { reduce: 'linf_diff', against: 'previous' },
    hist: { reduce: 'histogram', bins: 64, range: [0, 2000] },
    blobs: { components: { above: 0.5, connectivity: 6 } },
    score: { wasm: { digest: DIGEST, export: 'score' }, limits: { ms: 50, pages: 256 } },
    ext: { call: { subject: 'analysis.blobs', timeoutMs: 2000 } },
  },
  compare: {
    condition: 'mx > 1800.0 && bad == 0',
    recovery: 'mx < 1600.0',
    for: 3,
    keepFiringFor: 0,
    edge: 'level',
    cooldown: 0,
    history: 8,
    onUnknown: 'hold',
  },
  action: [
    { emit: { data: { severity: 'warn' } } },
    { pin: { steps: 10 } },
    { persist: {} },
    { task: { name: 'render', args: { iso: 0.5 } } },
    { call: { subject: 'ops.page', timeoutMs: 2000 } },
    { derive: { transform: { downsample: 4 }, to: 'T_small' } },
    { steer: { op: 'pause' } },
    { trigger: { name: 'confirm', check: { mn: { reduce: 'min' } }, compare: { condition: 'mn > 0.0' }, action: [] } },
  ],
};

describe('good definitions', () => {
  test('the example of the contract', () => {
    const { triggers, ordered, derivations, definition, digest } = validateDefinition(EXAMPLE, CONTEXT);
    expect(triggers.map(({ name }) => name)).toEqual(['hot', 'hot~confirm']);
    expect(triggers[0]).toMatchObject({
      readsPrevious: true,
      rules: { for: 3, recovery: true, stateful: true, tracked: [] },
    });
    expect(triggers[1]).toMatchObject({ readsPrevious: false, recovery: undefined, rules: { stateful: false } });
    expect({ ordered, derivations }).toEqual({ ordered: true, derivations: [{ from: 'T', to: 'T_small' }] });
    expect(definition.check['blobs']?.components?.connectivity).toBe(4);
    expect(validateDefinition(definition, CONTEXT).digest).toBe(digest);
  });

  test.each([
    ['the least', define({})],
    ['every reduction of a whole domain', define({ check: { a: { reduce: 'argmax' }, b: { reduce: 'std' } } })],
    ['a wildcard of runs', define({ on: { variable: 'T', run: 'exp-*', every: 10 } })],
    ['each partition by itself', define({ on: { variable: 'T', when: 'partition' } })],
    ['4 levels', { ...nest(4), on: { variable: 'T' } }],
    ['a gate on the step', define({ compare: { condition: 'step % 100 == 0 && step > 0' } })],
    [
      'a detector of silent errors',
      define({
        check: { d: { reduce: 'linf_diff', against: 'previous' } },
        compare: { condition: 'd > 10.0 * movavg(history.d, 6, 1)' },
        action: [{ steer: { op: 'pause' } }, { steer: { op: 'rollback', args: { toStep: 5 } } }],
      }),
    ],
    ['steering by values', withAction({ steer: { op: 'set', args: { dt: 0.5 } } })],
  ])('%s', (_what, definition) => {
    expect(validateDefinition(definition, CONTEXT).digest).toMatch(/^sha256:/);
  });

  test('only what remembers something is ordered', () => {
    const ordered = (parts: object) => validateDefinition(define(parts), CONTEXT).ordered;
    expect(ordered({ compare: { for: 1, onUnknown: 'hold' } })).toBe(false);
    expect(ordered({ compare: { for: 2 } })).toBe(true);
    expect(ordered({ action: [{ trigger: { name: 'a', compare: { edge: 'rising' } } }] })).toBe(true);
    expect(ordered({ check: { d: { reduce: 'l2_diff', against: 'previous' } } })).toBe(true);
  });
});
