import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Handler, type Subscribed, subscribe } from '@tidegate/bus';
import { BadRequestError, type CheckDefinition, encodeBody } from '@tidegate/protocol';
import { type CallRequest, readValue, runCallChecks } from '../call-checks.js';
import { planStep } from '../plan-step.js';
import { bodyOf, FakeStaging } from './fake-staging.js';

let staging: FakeStaging;
const { signal } = new AbortController();
const serving: Subscribed[] = [];
const utf8 = new TextEncoder();

beforeAll(async () => {
  staging = await FakeStaging.start();
  staging.declare('T', [8]);
  staging.stage({ box: '0:4' });
  staging.stage({ box: '4:8' });
});
afterAll(async () => {
  await Promise.all(serving.map((served) => served.stop(100)));
  await staging.end();
});

function respond(subject: string, handler: Handler): void {
  serving.push(subscribe(staging.bus, subject, handler));
}

async function run(calls: Readonly<Record<string, { subject: string; timeoutMs: number }>>) {
  const at = staging.at('T', 1, '2:8');
  const planned = await planStep(staging, at, signal);
  if (!planned.covered) throw new Error('not covered');
  const checks: Record<string, CheckDefinition> = {};
  for (const [name, call] of Object.entries(calls)) checks[name] = { call };
  return runCallChecks(staging.bus, { at, plan: planned.plan, checks, signal });
}

it('asks with the step, the box and its pieces, and takes any JSON', async () => {
  let asked: CallRequest | undefined;
  respond('outside.blobs', (request) => {
    asked = bodyOf<CallRequest>(request);
    return { data: encodeBody({ count: 3, sizes: [1, 2.5], name: null }, 'json') };
  });
  respond('outside.number', () => ({ data: utf8.encode('17') }));
  const { values, failures } = await run({
    blobs: { subject: 'outside.blobs', timeoutMs: 2000 },
    number: { subject: 'outside.number', timeoutMs: 2000 },
  });
  expect(Object.fromEntries(values)).toEqual({ blobs: { count: 3, sizes: [1, 2.5], name: null }, number: 17 });
  expect(failures.size).toBe(0);
  expect(asked).toMatchObject({ trigger: 't', variable: 'T', run: 'r', epoch: 3, step: 1, box: '2:8' });
  expect(asked?.pieces?.map(({ box }) => box)).toEqual(['2:4', '4:8']);
});

it('makes a failure of silence, of nobody, of a refusal and of rubbish, and of nothing else', async () => {
  respond('outside.silent', () => new Promise(() => {}));
  respond('outside.refuses', () => {
    throw new BadRequestError('box', 'I do not like this box');
  });
  respond('outside.rubbish', () => ({ data: utf8.encode('{"a":') }));
  respond('outside.huge', () => ({ data: utf8.encode(JSON.stringify('x'.repeat(70_000))) }));
  respond('outside.good', () => ({ data: utf8.encode('true') }));
  const { values, failures } = await run({
    silent: { subject: 'outside.silent', timeoutMs: 50 },
    nobody: { subject: 'outside.nobody', timeoutMs: 2000 },
    refuses: { subject: 'outside.refuses', timeoutMs: 2000 },
    rubbish: { subject: 'outside.rubbish', timeoutMs: 2000 },
    huge: { subject: 'outside.huge', timeoutMs: 2000 },
    good: { subject: 'outside.good', timeoutMs: 2000 },
  });
  expect(Object.fromEntries(values)).toEqual({ good: true });
  expect(Object.fromEntries(failures)).toEqual({
    silent: expect.stringContaining('within 50 ms'),
    nobody: expect.stringContaining('nobody answers'),
    refuses: expect.stringContaining('I do not like this box'),
    rubbish: expect.stringContaining('JSON'),
    huge: expect.stringContaining('65536'),
  });
});

it('reads one JSON value and bounds how deep it is', () => {
  const nested = (levels: number) => utf8.encode('['.repeat(levels) + ']'.repeat(levels));
  expect(readValue(nested(32))).toHaveProperty('value');
  expect(readValue(nested(33))).toHaveProperty('failure');
  expect(readValue(nested(30_000))).toHaveProperty('failure');
  expect(readValue(new Uint8Array([0xff, 0xfe]))).toHaveProperty('failure');
  expect(readValue(new Uint8Array())).toHaveProperty('failure');
});
