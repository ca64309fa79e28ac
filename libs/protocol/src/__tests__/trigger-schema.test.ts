import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { parseRequest } from '../common-schema.js';
import { BadRequestError } from '../errors.js';
import {
  ACTIONS,
  actionSchema,
  checkSchema,
  REDUCTIONS,
  TRIGGER_LIMITS,
  type TriggerDefinitionInput,
  triggerDefinitionSchema,
} from '../trigger-schema.js';

const DIGEST = `sha256:${'0f'.repeat(32)}`;

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
    { steer: { op: 'pause', args: {} } },
    { trigger: { name: 'confirm', check: {}, compare: { condition: 'true' }, action: [] } },
  ],
};

const MINIMAL = { name: 'a', on: { variable: 'T' } };

function refusedField(schema: z.ZodType, map: unknown): string {
  try {
    parseRequest(schema, map);
  } catch (error) {
    if (error instanceof BadRequestError) return error.field;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(map)}`);
}

function refusedAction(action: unknown): string {
  return refusedField(triggerDefinitionSchema, { ...MINIMAL, action: [{ persist: {} }, action] });
}

function refusedCheck(check: unknown): string {
  return refusedField(triggerDefinitionSchema, { ...MINIMAL, check: { c: check } });
}

describe('triggerDefinitionSchema', () => {
  test('keeps the example of the contract as it stands, but for the defaults of what is nested', () => {
    const parsed = parseRequest(triggerDefinitionSchema, EXAMPLE);
    expect({ ...parsed, action: parsed.action.slice(0, -1) }).toEqual({
      ...EXAMPLE,
      action: EXAMPLE.action?.slice(0, -1),
    });
    expect(parsed.action.at(-1)).toEqual({
      trigger: {
        name: 'confirm',
        check: {},
        compare: {
          condition: 'true',
          for: 0,
          keepFiringFor: 0,
          edge: 'level',
          cooldown: 0,
          history: 8,
          onUnknown: 'hold',
        },
        action: [],
      },
    });
  });

  test('fills in the defaults', () => {
    expect(parseRequest(triggerDefinitionSchema, MINIMAL)).toEqual({
      name: 'a',
      on: { variable: 'T', run: '*', every: 1, when: 'covered' },
      check: {},
      compare: {
        condition: 'true',
        for: 0,
        keepFiringFor: 0,
        edge: 'level',
        cooldown: 0,
        history: 8,
        onUnknown: 'hold',
      },
      action: [],
    });
  });

  test('takes the box in both forms and gives the text form', () => {
    const box = { lower: [0, 2], upper: [4, 8] };
    expect(parseRequest(triggerDefinitionSchema, { ...MINIMAL, on: { variable: 'T', box } }).on.box).toBe('0:4,2:8');
  });

  test('names the key of what is wrong', () => {
    const on = (scope: object) => refusedField(triggerDefinitionSchema, { name: 'a', on: { variable: 'T', ...scope } });
    expect(refusedField(triggerDefinitionSchema, {})).toBe('name');
    expect(refusedField(triggerDefinitionSchema, { ...MINIMAL, name: 'a~b' })).toBe('name');
    expect(refusedField(triggerDefinitionSchema, { name: 'a' })).toBe('on');
    expect(refusedField(triggerDefinitionSchema, { ...MINIMAL, checks: {} })).toBe('checks');
    expect(on({ variable: 'a b' })).toBe('on.variable');
    expect(on({ box: '4:2' })).toBe('on.box');
    expect(on({ run: 'a.b' })).toBe('on.run');
    expect(on({ every: 0 })).toBe('on.every');
    expect(on({ every: 1.5 })).toBe('on.every');
    expect(on({ when: 'always' })).toBe('on.when');
    for (const [key, value] of Object.entries({
      condition: '',
      recovery: 1,
      for: -1,
      keepFiringFor: 0.5,
      edge: 'falling',
      cooldown: 1e9,
      history: 0,
      onUnknown: 'ignore',
      forr: 1,
    })) {
      expect(refusedField(triggerDefinitionSchema, { ...MINIMAL, compare: { [key]: value } })).toBe(`compare.${key}`);
    }
  });

  test('a run is a name with any number of stars', () => {
    for (const run of ['*', 'a', 'a*', '*-b*', 'default']) {
      expect(parseRequest(triggerDefinitionSchema, { ...MINIMAL, on: { variable: 'T', run } }).on.run).toBe(run);
    }
  });

  test('has a description as JSON schema, recursion included', () => {
    const schema = z.toJSONSchema(triggerDefinitionSchema, { io: 'input', target: 'draft-7' });
    expect(Object.keys(schema.properties ?? {})).toEqual(['name', 'on', 'check', 'compare', 'action']);
  });
});

describe('checkSchema', () => {
  test('knows every reduction', () => {
    for (const reduce of REDUCTIONS) expect(parseRequest(checkSchema, { reduce })).toEqual({ reduce });
  });

  test('is of one kind', () => {
    expect(refusedCheck({})).toBe('check.c');
    expect(refusedCheck({ bins: 3 })).toBe('check.c');
    expect(refusedCheck({ reduce: 'max', call: { subject: 'a' } })).toBe('check.c.call');
    expect(refusedCheck({ reduce: 'median' })).toBe('check.c.reduce');
    expect(refusedCheck('max')).toBe('check.c');
  });

  test('names the parameter that is wrong', () => {
    expect(refusedCheck({ reduce: 'histogram', bins: 0 })).toBe('check.c.bins');
    expect(refusedCheck({ reduce: 'histogram', range: [0] })).toMatch(/^check\.c\.range/);
    expect(refusedCheck({ reduce: 'histogram', range: [0, Number.POSITIVE_INFINITY] })).toBe('check.c.range.1');
    expect(refusedCheck({ reduce: 'quantile', q: 1.5 })).toBe('check.c.q');
    expect(refusedCheck({ reduce: 'l2_diff', against: 'next' })).toBe('check.c.against');
    expect(refusedCheck({ components: { over: 1 } })).toBe('check.c.components.over');
    expect(refusedCheck({ wasm: { digest: 'sha256:12', export: 'f' } })).toBe('check.c.wasm.digest');
    expect(refusedCheck({ wasm: { digest: DIGEST } })).toBe('check.c.wasm.export');
    expect(refusedCheck({ wasm: { digest: DIGEST, export: 'f' }, limits: { ms: 0 } })).toBe('check.c.limits.ms');
    expect(refusedCheck({ wasm: { digest: DIGEST, export: 'f' }, merge: 'last' })).toBe('check.c.merge');
  });

  test('calls a subject outside', () => {
    for (const subject of ['tide.v1.put', 'tide', '$SYS.a', '_INBOX.a', 'a.*', 'a.>', 'a b', '', '.a', 'a.', 'a..b']) {
      expect(refusedCheck({ call: { subject } })).toBe('check.c.call.subject');
    }
    for (const subject of ['a', 'analysis.blobs', 'tides.x', 'a.$b', 'a._c-d']) {
      expect(parseRequest(checkSchema, { call: { subject } }).call).toEqual({ subject, timeoutMs: 2000 });
    }
  });
});

describe('actionSchema', () => {
  test('is of one kind', () => {
    expect(refusedAction({})).toBe('action.1');
    expect(refusedAction({ persist: {}, pin: {} })).toBe('action.1.persist');
    expect(refusedAction({ notify: {} })).toBe('action.1.notify');
    const given = [{ emit: {} }, { pin: {} }, { persist: {} }].map((action) => parseRequest(actionSchema, action));
    expect(given).toEqual([{ emit: { data: {} } }, { pin: { steps: 1 } }, { persist: {} }]);
    expect(ACTIONS).toHaveLength(8);
  });

  test('names the key of what is wrong', () => {
    expect(refusedAction({ emit: { data: [1] } })).toBe('action.1.emit.data');
    expect(refusedAction({ emit: { data: { a: Number.NaN } } })).toBe('action.1.emit.data.a');
    expect(refusedAction({ pin: { steps: 0 } })).toBe('action.1.pin.steps');
    expect(refusedAction({ persist: { steps: 1 } })).toBe('action.1.persist.steps');
    expect(refusedAction({ task: {} })).toBe('action.1.task.name');
    expect(refusedAction({ call: { subject: 'a', timeoutMs: 0 } })).toBe('action.1.call.timeoutMs');
    expect(refusedAction({ derive: { transform: {}, to: 'S' } })).toBe('action.1.derive.transform');
    expect(refusedAction({ derive: { transform: { downsample: 1 }, to: 'S' } })).toBe(
      'action.1.derive.transform.downsample',
    );
    expect(refusedAction({ derive: { transform: { downsample: 2, slice: { axis: 0, index: 0 } }, to: 'S' } })).toBe(
      'action.1.derive.transform.slice',
    );
    expect(refusedAction({ derive: { transform: { downsample: 2 } } })).toBe('action.1.derive.to');
    expect(refusedAction({ steer: { op: 'explode' } })).toBe('action.1.steer.op');
    expect(refusedAction({ trigger: { check: {} } })).toBe('action.1.trigger.name');
    expect(refusedAction({ trigger: { name: 'b', on: {} } })).toBe('action.1.trigger.on');
    expect(refusedAction({ trigger: { name: 'b', action: [{ pin: { steps: -1 } }] } })).toBe(
      'action.1.trigger.action.0.pin.steps',
    );
  });

  test('there are at most so many', () => {
    const action = Array.from({ length: TRIGGER_LIMITS.actions + 1 }, () => ({ persist: {} }));
    expect(refusedField(triggerDefinitionSchema, { ...MINIMAL, action })).toBe('action');
  });
});
