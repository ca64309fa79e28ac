import { encode } from '@msgpack/msgpack';
import type { PlainHeaders } from './plain-client.js';

/** A request that must be refused, and how. */
export interface MalformedRequest {
  readonly title: string;
  readonly subject: string;
  readonly headers?: PlainHeaders;
  readonly payload?: Uint8Array | string;
  readonly status: number;
  readonly code: string;
  /** Of the error body, where the contract tells the key. */
  readonly field?: string;
  /** More of the error body. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Variables that the requests below are about, declared before: shape, dtype. */
export const GRID = { name: 'grid', dtype: 'float64', shape: [8, 16] } as const;
export const NOTED = { name: 'noted', dtype: 'uint8', shape: [4], annotation: 'required' } as const;

const PUT = { 'Tide-Variable': 'grid', 'Tide-Step': 1, 'Tide-Box': '0:2,0:4' };
const PUT_BYTES = new Uint8Array(2 * 4 * 8);
const ULID = '01JA0000000000000000000000';
const BAD_INTEGERS = [
  'NaN',
  '-1',
  '1.5',
  '1e3',
  '0x10',
  '01',
  'Infinity',
  '9007199254740993',
  '99999999999999999999',
  'latest',
];
const BAD_NAMES = ['a.b', '*', '>', 'a b', 'x'.repeat(65), 'ä', '../etc', 'a/b', '$SYS'];
const BAD_BOXES: readonly (readonly [string, number, string])[] = [
  ['0:2', 400, 'BAD_REQUEST'],
  ['0:2,0:4,0:1', 400, 'BAD_REQUEST'],
  ['2:0,0:4', 400, 'BAD_REQUEST'],
  ['0:0,0:4', 400, 'BAD_REQUEST'],
  ['0-2,0-4', 400, 'BAD_REQUEST'],
  ['-1:2,0:4', 400, 'BAD_REQUEST'],
  ['0:NaN,0:4', 400, 'BAD_REQUEST'],
  ['0:2,0:4,', 400, 'BAD_REQUEST'],
  ['{"lower":[0,0],"upper":[2,4]}', 400, 'BAD_REQUEST'],
  ['0:1e9,0:4', 400, 'BAD_REQUEST'],
  ['7:9,0:4', 422, 'OUT_OF_DOMAIN'],
  ['0:2,14:18', 422, 'OUT_OF_DOMAIN'],
  ['0:9007199254740991,0:4', 422, 'OUT_OF_DOMAIN'],
];

function put(title: string, headers: PlainHeaders, more: Partial<MalformedRequest> = {}): MalformedRequest {
  return {
    title: `put: ${title}`,
    subject: 'tide.v1.put',
    headers,
    payload: PUT_BYTES,
    status: 400,
    code: 'BAD_REQUEST',
    ...more,
  };
}

function get(title: string, headers: PlainHeaders, more: Partial<MalformedRequest> = {}): MalformedRequest {
  return { title: `get: ${title}`, subject: 'tide.v1.get', headers, status: 400, code: 'BAD_REQUEST', ...more };
}

function control(subject: string, body: unknown, more: Partial<MalformedRequest> = {}): MalformedRequest {
  const payload = JSON.stringify(body);
  return {
    title: `${subject} ${payload.slice(0, 90)}`,
    subject: `tide.v1.${subject}`,
    payload,
    status: 400,
    code: 'BAD_REQUEST',
    ...more,
  };
}

function without(headers: PlainHeaders, name: string): PlainHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}

const puts: readonly MalformedRequest[] = [
  put('no header at all', {}),
  put('no variable', without(PUT, 'Tide-Variable'), { field: 'Tide-Variable' }),
  put('no step', without(PUT, 'Tide-Step'), { field: 'Tide-Step' }),
  put('header names in lower case', { 'tide-variable': 'grid', 'tide-step': 1 }),
  ...BAD_INTEGERS.map((step) => put(`step ${step}`, { ...PUT, 'Tide-Step': step }, { field: 'Tide-Step' })),
  ...BAD_NAMES.map((name) => put(`variable ${name}`, { ...PUT, 'Tide-Variable': name }, { field: 'Tide-Variable' })),
  put('run with a dot', { ...PUT, 'Tide-Run': 'a.b' }, { field: 'Tide-Run' }),
  put('unknown variable', { ...PUT, 'Tide-Variable': 'nobody' }, { status: 404, code: 'UNKNOWN_VARIABLE' }),
  ...BAD_BOXES.map(([box, status, code]) =>
    put(
      `box ${box}`,
      { ...PUT, 'Tide-Box': box },
      { status, code, ...(status === 422 && { body: { shape: [8, 16] } }) },
    ),
  ),
  put('no box but the bytes of a part', without(PUT, 'Tide-Box'), {
    code: 'SIZE_MISMATCH',
    body: { expectedBytes: 8 * 16 * 8, actualBytes: 64 },
  }),
  put('one byte too few', PUT, {
    payload: new Uint8Array(63),
    code: 'SIZE_MISMATCH',
    body: { expectedBytes: 64, actualBytes: 63 },
  }),
  put('one byte too many', PUT, { payload: new Uint8Array(65), code: 'SIZE_MISMATCH' }),
  put('no byte', PUT, { payload: '', code: 'SIZE_MISMATCH', body: { expectedBytes: 64, actualBytes: 0 } }),
  put('a short id', { ...PUT, 'Tide-Id': '01JA' }, { field: 'Tide-Id' }),
  put('an id in lower case', { ...PUT, 'Tide-Id': ULID.toLowerCase() }, { field: 'Tide-Id' }),
  put('an id past the largest ULID', { ...PUT, 'Tide-Id': `8${ULID.slice(1)}` }, { field: 'Tide-Id' }),
  put('a negative wait', { ...PUT, 'Tide-Wait': -5 }, { field: 'Tide-Wait' }),
  put('a wait of a year', { ...PUT, 'Tide-Wait': 365 * 86_400_000 }, { field: 'Tide-Wait' }),
  put('a digest of another payload', { ...PUT, 'Tide-Digest': `sha256:${'0'.repeat(64)}` }, { field: 'Tide-Digest' }),
  put('a digest that is none', { ...PUT, 'Tide-Digest': 'md5:abc' }, { field: 'Tide-Digest' }),
  put('an annotation that is a list', { ...PUT, 'Tide-Annotation': '[1]' }, { field: 'Tide-Annotation' }),
  put('an annotation that is no JSON', { ...PUT, 'Tide-Annotation': '{"sensor":' }, { field: 'Tide-Annotation' }),
  put('a derived-from that is no list', { ...PUT, 'Tide-Derived-From': '{}' }, { field: 'Tide-Derived-From' }),
  put(
    'a derived-from of an unknown shape',
    { ...PUT, 'Tide-Derived-From': '[{"variable":"grid","step":-1}]' },
    { field: 'Tide-Derived-From' },
  ),
  put(
    'no annotation where one is required',
    { 'Tide-Variable': 'noted', 'Tide-Step': 0 },
    { payload: new Uint8Array(4), field: 'Tide-Annotation' },
  ),
];

const gets: readonly MalformedRequest[] = [
  get('no header at all', {}),
  get('no step', { 'Tide-Variable': 'grid' }, { field: 'Tide-Step' }),
  ...['NaN', '-1', '1.5', 'newest', 'next:', 'next:-1', 'next:x', 'LATEST'].map((step) =>
    get(`step ${step}`, { 'Tide-Variable': 'grid', 'Tide-Step': step }, { field: 'Tide-Step' }),
  ),
  get('unknown variable', { 'Tide-Variable': 'nobody', 'Tide-Step': 0 }, { status: 404, code: 'UNKNOWN_VARIABLE' }),
  get('a wildcard', { 'Tide-Variable': '>', 'Tide-Step': 0 }, { field: 'Tide-Variable' }),
  ...BAD_BOXES.map(([box, status, code]) =>
    get(`box ${box}`, { 'Tide-Variable': 'grid', 'Tide-Step': 0, 'Tide-Box': box }, { status, code }),
  ),
  get(
    'a stream that is neither true nor false',
    { 'Tide-Variable': 'grid', 'Tide-Step': 0, 'Tide-Stream': 'yes' },
    { field: 'Tide-Stream' },
  ),
  get(
    'a wait that is no number',
    { 'Tide-Variable': 'grid', 'Tide-Step': 0, 'Tide-Wait': 'long' },
    { field: 'Tide-Wait' },
  ),
  get('a step that is not there', { 'Tide-Variable': 'grid', 'Tide-Step': 999 }, { status: 404, code: 'NOT_COVERED' }),
];

const declarations: readonly MalformedRequest[] = [
  control('variable.declare', {}, { field: 'name' }),
  ...BAD_NAMES.map((name) => control('variable.declare', { ...GRID, name }, { field: 'name' })),
  control('variable.declare', { ...GRID, dtype: 'double' }, { field: 'dtype' }),
  control('variable.declare', { ...GRID, shape: [] }, { field: 'shape' }),
  control('variable.declare', { ...GRID, shape: [1, 2, 3, 4, 5, 6, 7] }, { field: 'shape' }),
  control('variable.declare', { ...GRID, name: 'huge', shape: [2 ** 40, 2 ** 40] }, { field: 'shape' }),
  ...[0, -1, 1.5, '8', null].map((size) =>
    control('variable.declare', { ...GRID, shape: [size] }, { field: 'shape.0' }),
  ),
  control('variable.declare', { ...GRID, window: 0 }, { field: 'window' }),
  control('variable.declare', { ...GRID, onEvict: 'burn' }, { field: 'onEvict' }),
  control('variable.declare', { ...GRID, durability: 'eternal' }, { field: 'durability' }),
  control('variable.declare', { ...GRID, layout: [2] }, { field: 'layout' }),
  control('variable.declare', { ...GRID, layout: [9, 2] }, { field: 'layout' }),
  control('variable.declare', { ...GRID, colour: 'red' }, { field: 'colour' }),
  control('variable.declare', { ...GRID, shape: [8, 17] }, { status: 409, code: 'CONFLICT' }),
  control('variable.declare', { ...GRID, dtype: 'float32' }, { status: 409, code: 'CONFLICT' }),
];

const controls: readonly MalformedRequest[] = [
  control('variable.get', { name: 'nobody' }, { status: 404, code: 'UNKNOWN_VARIABLE' }),
  control('variable.get', {}, { field: 'name' }),
  control('variable.list', { all: true }, { field: 'all' }),
  control('variable.delete', { name: 'nobody' }, { status: 404, code: 'UNKNOWN_VARIABLE' }),
  control('variable.delete', { name: '*' }, { field: 'name' }),
  control('query', { variable: 'grid' }, { field: 'step' }),
  control('query', { variable: 'grid', step: '0' }, { field: 'step' }),
  control('query', { variable: 'grid', step: -1 }, { field: 'step' }),
  control('query', { variable: 'grid', step: 2 ** 60 }, { field: 'step' }),
  control('query', { variable: 'grid', step: 0, box: '0:9,0:1' }, { status: 422, code: 'OUT_OF_DOMAIN' }),
  control('query', { variable: 'grid', step: 0, box: { lower: [0, 0] } }, { field: 'box' }),
  control('query', { variable: 'grid', step: 0, box: { lower: [3, 0], upper: [1, 4] } }, { field: 'box' }),
  control('query', { variable: 'grid', step: 0, box: 7 }, { field: 'box' }),
  control('query', { variable: 'grid', step: 0, wait: -1 }, { field: 'wait' }),
  control('query', { variable: 'grid', step: 0, wat: 5 }, { field: 'wat' }),
  control('query', { variable: 'nobody', step: 0 }, { status: 404, code: 'UNKNOWN_VARIABLE' }),
  control('steps', { variable: 'grid', after: 'x' }, { field: 'after' }),
  control('steps', { variable: 'nobody' }, { status: 404, code: 'UNKNOWN_VARIABLE' }),
  control('delete', { variable: 'grid' }, { field: 'steps' }),
  control('delete', { variable: 'grid', steps: '5:3' }, { field: 'steps' }),
  control('delete', { variable: 'grid', steps: '*' }, { field: 'steps' }),
  control('delete', { variable: 'grid', steps: [] }, { field: 'steps' }),
  control('delete', { variable: 'grid', steps: [0, -1] }, { field: 'steps.1' }),
  control('delete', { variable: 'nobody', steps: 0 }, { status: 404, code: 'UNKNOWN_VARIABLE' }),
  control('delete', { variable: 'grid', steps: 0, box: '0:99,0:99' }, { status: 422, code: 'OUT_OF_DOMAIN' }),
  control('pin', { variable: 'nobody', steps: 0 }, { status: 404, code: 'UNKNOWN_VARIABLE' }),
  control('pin', { variable: 'grid', steps: 1.5 }, { field: 'steps' }),
  control('pin', { variable: 'grid', steps: '0:9007199254740993' }, { field: 'steps' }),
  control('unpin', { variable: 'grid', steps: 0, reason: 5 }, { field: 'reason' }),
  control('run.rollback', { run: 'default' }, { field: 'toStep' }),
  control('run.rollback', { run: 'a.b', toStep: 0 }, { field: 'run' }),
  control(
    'run.rollback',
    { run: 'default', toStep: 0, variables: ['nobody'] },
    { status: 404, code: 'UNKNOWN_VARIABLE' },
  ),
  control('run.rollback', { run: 'default', toStep: 0, variables: [] }, { field: 'variables' }),
  control('storage', { verbose: true }, { field: 'verbose' }),
  control('put.open', { variable: 'grid', step: 0 }, { field: 'bytes' }),
  control('put.open', { variable: 'grid', step: 0, bytes: 5 }, { code: 'SIZE_MISMATCH' }),
  control('put.open', { variable: 'grid', step: 0, bytes: -5 }, { field: 'bytes' }),
  control('put.open', { variable: 'nobody', step: 0, bytes: 8 }, { status: 404, code: 'UNKNOWN_VARIABLE' }),
  control('put.open', { variable: 'opaque', step: 0, bytes: 2 ** 50 }, { status: 413, code: 'TOO_LARGE' }),
  control('put.open', { variable: 'grid', step: 0, bytes: 1024, id: 'mine' }, { field: 'id' }),
];

function broken(title: string, payload: Uint8Array | string): MalformedRequest {
  return {
    title: `query: ${title}`,
    subject: 'tide.v1.query',
    payload,
    status: 400,
    code: 'BAD_REQUEST',
    field: 'body',
  };
}

const whole = encode({ variable: 'grid', step: 0 });
const bodies: readonly MalformedRequest[] = [
  broken('JSON that breaks off', '{"variable":"grid"'),
  broken('JSON with more after it', '{"variable":"grid","step":0} x'),
  broken('JSON that is not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x30, 0x7d])),
  broken('JSON of 100,000 levels', `{"variable":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  broken('a JSON list', '[1,2]'),
  broken('plain text', 'hello'),
  broken('MessagePack that breaks off', whole.subarray(0, whole.length - 3)),
  broken('MessagePack with more after it', new Uint8Array([...whole, 0])),
  broken('a MessagePack list', encode([1, 2, 3])),
  broken('a MessagePack number', encode(5)),
  broken('MessagePack that claims 2^32 entries', new Uint8Array([0xdf, 0xff, 0xff, 0xff, 0xff])),
  broken('MessagePack that nests 100,000 lists', new Uint8Array(100_000).fill(0x91)),
  broken('a MessagePack extension', new Uint8Array([0xd4, 0x01, 0x00])),
  broken('MessagePack with a key that is a list', new Uint8Array([0x81, 0x90, 0x02])),
  broken('a megabyte of zeros', new Uint8Array(1 << 20)),
];

/** Every request of the table is refused as it says. */
export const MALFORMED: readonly MalformedRequest[] = [...puts, ...gets, ...declarations, ...controls, ...bodies];

/** Public subjects of the contract. */
export const PUBLIC_SUBJECTS = [
  'variable.declare',
  'variable.get',
  'variable.list',
  'variable.delete',
  'put',
  'put.open',
  'get',
  'query',
  'steps',
  'delete',
  'pin',
  'unpin',
  'run.rollback',
  'storage',
].map((name) => `tide.v1.${name}`);

/** Internal subjects that answer, for a raw-service and a shard. */
export function internalSubjects(raw: string, shard: number): readonly string[] {
  return [
    ...['put', 'open', 'read', 'release', 'inventory', 'lookup', 'discard', 'storage'].map(
      (op) => `tide.v1.raw.${raw}.${op}`,
    ),
    ...['index', 'unindex', 'tier', 'plan', 'covered', 'list'].map((op) => `tide.v1.shard.${shard}.${op}`),
    `tide.v1.raw.${raw}.upload.01JA0000000000000000000000`,
  ];
}
