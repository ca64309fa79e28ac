import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { asyncApiDocument } from '../asyncapi.js';
import { ENDPOINTS, UPLOAD_ENDPOINTS } from '../endpoint-table.js';
import { ERROR_TABLE } from '../error-table.js';
import { EVENTS } from '../event-table.js';
import { HEADERS } from '../headers.js';
import { PUBLIC } from '../subjects.js';

interface Schema {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required: readonly string[];
}
interface Document {
  readonly asyncapi: string;
  readonly channels: Readonly<Record<string, { readonly address: string | null; readonly parameters?: object }>>;
  readonly operations: Readonly<
    Record<string, { readonly action: string; readonly reply?: { readonly messages: unknown[] } }>
  >;
  readonly components: {
    readonly messages: Readonly<
      Record<string, { readonly headers: Schema; readonly payload: Schema; readonly description: string }>
    >;
  };
}

const document = asyncApiDocument() as Document;

// The parser is CommonJS that loads its parts by `require`, which a Jest module sandbox does not carry: it has a process
// of its own, and gets the document by its standard input.
const VALIDATE = `
  import { text } from 'node:stream/consumers';
  import { Parser } from '@asyncapi/parser';
  const { document, diagnostics } = await new Parser().parse(await text(process.stdin));
  console.log(JSON.stringify({ valid: document !== undefined, diagnostics }));
`;

interface Verdict {
  readonly valid: boolean;
  readonly diagnostics: readonly { readonly code: string; readonly severity: number; readonly message: string }[];
}

function validate(value: unknown): Verdict {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', VALIDATE], {
    input: JSON.stringify(value),
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: 25_000,
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Verdict;
}

describe('against the specification', () => {
  let verdict: Verdict;
  beforeAll(() => {
    verdict = validate(document);
  });

  test('it is valid', () => {
    expect(verdict.valid).toBe(true);
    // The hint that 3.1 exists is the only one.
    expect(verdict.diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')).toEqual([]);
  });

  test('a broken one would be found out', () => {
    const { put: _, ...operations } = document.operations;
    const broken = { ...document, operations: { ...operations, put: { action: 'take' } } };
    expect(validate(broken).diagnostics.some(({ severity }) => severity === 0)).toBe(true);
  });
});

test('it is the same every time, and nobody can spoil the next one', () => {
  const first = asyncApiDocument();
  const text = JSON.stringify(first);
  const spoil = (value: object): void => {
    for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) spoil(part);
    for (const key of Object.keys(value)) Reflect.deleteProperty(value, key);
  };
  spoil(first);
  expect(JSON.stringify(asyncApiDocument()) === text).toBe(true);
});

test('every public subject is the address of a channel', () => {
  const addresses = Object.values(document.channels).flatMap(({ address }) => address ?? []);
  expect(addresses).toEqual([
    ...Object.values(PUBLIC),
    'tide.v1.raw.{rawService}.upload.{uploadId}',
    'tide.v1.event.storage.{rawService}',
    'tide.v1.event.run.{run}',
    'tide.v1.event.trigger.{run}.{trigger}.{epoch}.{step}',
    'tide.v1.task.{task}',
    'tide.v1.task-dead.{task}',
    'tide.v1.steer.{run}',
  ]);
});

test('every subject with tokens to fill in describes them', () => {
  for (const { address, parameters } of Object.values(document.channels)) {
    expect(Object.keys(parameters ?? {})).toEqual([...(address ?? '').matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
  }
});

test('every request is answered with its reply or the error, every event is sent', () => {
  const requests = Object.keys({ ...ENDPOINTS, ...UPLOAD_ENDPOINTS });
  const events = Object.keys(EVENTS).map((key) => `${key}Event`);
  expect(Object.keys(document.operations)).toEqual([...requests, ...events]);
  for (const key of requests) {
    expect(document.operations[key]).toMatchObject({
      action: 'receive',
      reply: {
        messages: [
          { $ref: `#/channels/${key}Reply/messages/${key}Reply` },
          { $ref: expect.stringMatching(/\/error$/) },
        ],
      },
    });
  }
  for (const key of events) {
    expect(document.operations[key]?.action).toBe('send');
    expect(document.operations[key]?.reply).toBeUndefined();
  }
});

test('every header of the contract appears, but for the one that only the decision log has', () => {
  const text = JSON.stringify(document);
  const { verdict, ...headers } = HEADERS;
  expect(Object.values(headers).filter((header) => !text.includes(`"${header}"`))).toEqual([]);
  expect(text).not.toContain(`"${verdict}"`);
});

test('an event tells its attributes in headers', () => {
  expect(document.components.messages['triggerEvent']?.headers.required).toEqual([
    'ce-specversion',
    'ce-id',
    'ce-source',
    'ce-type',
    'ce-subject',
    'ce-time',
    'ce-datacontenttype',
    'Tide-Decision',
  ]);
  expect(document.components.messages['taskEvent']?.headers).toBeUndefined();
});

test('what is recursive refers to itself inside the document', () => {
  const references = JSON.stringify(document.components).match(/"\$ref":"[^"]+"/g) ?? [];
  expect(references.length).toBeGreaterThan(0);
  for (const text of references) {
    const [, ...path] = text.slice('"$ref":"#'.length, -1).split('/');
    const target = path.reduce<unknown>((part, key) => (part as Record<string, unknown>)?.[key], document);
    expect([text, typeof target]).toEqual([text, 'object']);
  }
});

test('the error message has every code with status and retryable', () => {
  const { description, payload, headers } = document.components.messages['error'] ?? {};
  for (const [code, { status, retryable }] of Object.entries(ERROR_TABLE)) {
    expect(description).toContain(`| ${status} | ${code} | ${retryable} |`);
  }
  const codes = (payload as unknown as { oneOf: { properties: { code: { const: string } } }[] }).oneOf;
  expect(codes.map(({ properties }) => properties.code.const)).toEqual(Object.keys(ERROR_TABLE));
  expect(headers?.required).toEqual(['Nats-Service-Error-Code', 'Nats-Service-Error']);
});

test('requests are described as they are sent: boxes in both forms, defaults optional', () => {
  const { required, properties } = document.components.messages['queryRequest']?.payload ?? {};
  expect(required).toEqual(['variable', 'step']);
  expect(properties?.['box']).toMatchObject({
    anyOf: [{ type: 'string' }, { type: 'object', required: ['lower', 'upper'] }],
  });
  expect(properties?.['run']).toMatchObject({ default: 'default' });
  expect(document.components.messages['putRequest']?.headers.required).toEqual(['Tide-Variable', 'Tide-Step']);
});
