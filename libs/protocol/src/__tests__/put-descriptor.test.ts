import { describe, expect, test } from '@jest/globals';
import { formatBox } from '@tidegate/geometry';
import fc from 'fast-check';
import { BadRequestError } from '../errors.js';
import { HEADERS } from '../headers.js';
import {
  boxHeader,
  checkAnnotation,
  checkDigest,
  integerHeader,
  MAX_WAIT_MS,
  nameHeader,
  type PutDescriptor,
  parsePutHeaders,
  waitHeader,
} from '../put-descriptor.js';

type Headers = Readonly<Record<string, string>>;

const VALID: Headers = { 'Tide-Variable': 'T', 'Tide-Step': '7', 'Tide-Box': '0:4,0:8' };
const ULID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

function reader(headers: Headers) {
  return (name: string) => headers[name] ?? '';
}

function refusal(run: () => unknown): BadRequestError {
  try {
    run();
  } catch (error) {
    if (error instanceof BadRequestError) return error;
    throw error;
  }
  throw new Error('accepted');
}

const MALFORMED: readonly (readonly [string, readonly string[]])[] = [
  ['Tide-Variable', ['', ' ', 'a b', 'a.b', 'a*', '>', 'é', 'x'.repeat(65), 'T\n', ' T', 'T ', 'a/b', 'a\0', '$SYS']],
  ['Tide-Run', [' ', 'a.b', '*', 'x'.repeat(65), 'run 1', 'ü', 'r\r\n']],
  [
    'Tide-Step',
    [
      '',
      '-1',
      '+1',
      '01',
      '1.0',
      '1e3',
      '0x10',
      ' 1',
      '1 ',
      'latest',
      'NaN',
      'Infinity',
      '9007199254740992',
      '1,2',
      '٣',
    ],
  ],
  [
    'Tide-Box',
    [
      '0',
      '0:',
      ':4',
      '4:0',
      '0:0',
      '0:4,',
      ',0:4',
      '0:4 ,0:8',
      '-1:4',
      '0:04',
      '0:1.5',
      '0:4;0:8',
      '0:9007199254740992',
    ],
  ],
  [
    'Tide-Box',
    ['0:1,0:1,0:1,0:1,0:1,0:1,0:1', '{"lower":[0],"upper":[4]}', '[0:4]', '0:4:8', 'all', '0:1,'.repeat(500)],
  ],
  ['Tide-Wait', ['-1', '1.5', '5s', '86400001', '01', 'forever', '1e3', ' 5', '9007199254740993']],
  [
    'Tide-Id',
    ['x', ULID.toLowerCase(), `${ULID}0`, ULID.slice(1), `8${ULID.slice(1)}`, `${ULID.slice(0, 25)}U`, ` ${ULID}`],
  ],
  [
    'Tide-Annotation',
    ['x', '{', '[]', 'null', '5', '"text"', 'sha256:00', DIGEST.toUpperCase(), `{"a":"${'x'.repeat(65_536)}"}`, '{}{}'],
  ],
  [
    'Tide-Derived-From',
    [
      'x',
      '{}',
      '5',
      'null',
      '["T"]',
      '[{}]',
      '[{"variable":"T"}]',
      '[{"step":1}]',
      '[{"variable":"T","step":-1}]',
      '[{"variable":"T","step":"1"}]',
      '[{"variable":"a b","step":1}]',
      '[{"variable":"T","step":1,"box":"x"}]',
      '[{"variable":"T","step":1,"box":{"lower":[4],"upper":[2]}}]',
      '[{"variable":"T","step":1,"extra":1}]',
      '[{"variable":"T","step":1,"run":"a.b"}]',
      JSON.stringify(Array.from({ length: 4097 }, () => ({ variable: 'T', step: 1 }))),
      '['.repeat(10_000),
    ],
  ],
  ['Tide-Activity', ['x'.repeat(513)]],
  [
    'Tide-Digest',
    ['x', 'sha256:', DIGEST.slice(0, -1), `${DIGEST}0`, DIGEST.toUpperCase(), `md5:${'0'.repeat(32)}`, `${DIGEST}\n`],
  ],
];
const CASES = MALFORMED.flatMap(([header, texts]) => texts.map((text) => [header, text.slice(0, 60), text] as const));

describe('parsePutHeaders', () => {
  test.each(CASES)('refuses %s: %j', (header, _, text) => {
    const error = refusal(() => parsePutHeaders(reader({ ...VALID, [header]: text })));
    expect(error.field).toBe(header);
    expect(error.message).toContain('expected');
    expect(error.message).toMatch(/got /);
    expect(error.message).not.toMatch(/[\r\n\0]/);
    expect(error.message.length).toBeLessThan(500);
  });

  test('there are enough of them', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(60);
  });

  test('fills in the run and the wait, and leaves out what is absent', () => {
    expect(parsePutHeaders(reader({ 'Tide-Variable': 'T', 'Tide-Step': '0' }))).toEqual({
      variable: 'T',
      run: 'default',
      step: 0,
      wait: 0,
    });
  });

  test('round trip of any valid descriptor', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
    const range = fc
      .tuple(fc.maxSafeNat(), fc.maxSafeNat())
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const box = fc.array(range, { minLength: 1, maxLength: 6 }).map((ranges) => ({
      lower: ranges.map(([lower]) => lower),
      upper: ranges.map(([, upper]) => upper),
    }));
    const region = fc.record(
      { run: name, variable: name, step: fc.maxSafeNat(), box: box.map(formatBox) },
      { requiredKeys: ['variable', 'step'], noNullPrototype: true },
    );
    const descriptor: fc.Arbitrary<PutDescriptor> = fc.record(
      {
        variable: name,
        run: name,
        step: fc.maxSafeNat(),
        wait: fc.integer({ min: 0, max: MAX_WAIT_MS }),
        box,
        id: fc.stringMatching(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/),
        annotation: fc.oneof(
          fc.constant(DIGEST),
          fc.dictionary(fc.string(), fc.jsonValue()).map((map) => JSON.stringify(map)),
        ),
        derivedFrom: fc.array(region, { maxLength: 4 }),
        activity: fc.string({ minLength: 1, maxLength: 512 }),
        digest: fc.constant(DIGEST),
      },
      { requiredKeys: ['variable', 'run', 'step', 'wait'], noNullPrototype: true },
    );
    fc.assert(
      fc.property(descriptor, (put) => {
        const headers: Record<string, string> = {
          [HEADERS.variable]: put.variable,
          [HEADERS.run]: put.run,
          [HEADERS.step]: String(put.step),
          [HEADERS.wait]: String(put.wait),
          ...(put.box && { [HEADERS.box]: formatBox(put.box) }),
          ...(put.id !== undefined && { [HEADERS.id]: put.id }),
          ...(put.annotation !== undefined && { [HEADERS.annotation]: put.annotation }),
          ...(put.derivedFrom && { [HEADERS.derivedFrom]: JSON.stringify(put.derivedFrom) }),
          ...(put.activity !== undefined && { [HEADERS.activity]: put.activity }),
          ...(put.digest !== undefined && { [HEADERS.digest]: put.digest }),
        };
        expect(parsePutHeaders(reader(headers))).toEqual(put);
      }),
    );
  });

  test('fuzz: any header texts are a descriptor or BAD_REQUEST of a header', () => {
    const names = Object.values(HEADERS);
    const texts = fc.dictionary(
      fc.constantFrom(...names),
      fc.oneof(fc.string(), fc.json(), fc.constantFrom('0', 'T', '0:1')),
    );
    fc.assert(
      fc.property(texts, (headers) => {
        try {
          expect(parsePutHeaders(reader({ ...VALID, ...headers })).wait).toBeGreaterThanOrEqual(0);
        } catch (error) {
          if (!(error instanceof BadRequestError)) throw error;
          expect(names).toContain(error.field);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('regions take boxes in both forms and answer the text form', () => {
    const regions = [
      { variable: 'T', step: 1, box: { lower: [0, 2], upper: [4, 8] } },
      { variable: 'T', step: 2, box: '0:4,2:8' },
    ];
    const { derivedFrom } = parsePutHeaders(reader({ ...VALID, 'Tide-Derived-From': JSON.stringify(regions) }));
    expect(derivedFrom?.map((region) => region.box)).toEqual(['0:4,2:8', '0:4,2:8']);
  });
});

describe('single headers', () => {
  test('a name falls back only where it is absent', () => {
    expect(nameHeader(reader({}), 'Tide-Run', 'default')).toBe('default');
    expect(nameHeader(reader({ 'Tide-Run': 'r1' }), 'Tide-Run', 'default')).toBe('r1');
    expect(refusal(() => nameHeader(reader({}), 'Tide-Run')).field).toBe('Tide-Run');
  });

  test('an integer goes up to 2^53-1', () => {
    expect(integerHeader(reader({ 'Tide-Offset': '9007199254740991' }), 'Tide-Offset')).toBe(Number.MAX_SAFE_INTEGER);
    expect(integerHeader(reader({}), 'Tide-Offset', 3)).toBe(3);
    expect(refusal(() => integerHeader(reader({}), 'Tide-Offset')).field).toBe('Tide-Offset');
  });

  test('a wait goes up to one day', () => {
    expect(waitHeader(reader({ 'Tide-Wait': '86400000' }))).toBe(MAX_WAIT_MS);
    expect(waitHeader(reader({}))).toBe(0);
  });

  test('no box is no box', () => {
    expect(boxHeader(reader({}))).toBeUndefined();
    expect(boxHeader(reader({ 'Tide-Box': '1:2' }))).toEqual({ lower: [1], upper: [2] });
  });

  test('annotations and digests name the given field', () => {
    expect(checkAnnotation('{"sensor":"s"}', 'annotation')).toBe('{"sensor":"s"}');
    expect(checkDigest(DIGEST, 'digest')).toBe(DIGEST);
    expect(refusal(() => checkAnnotation('[]', 'annotation')).field).toBe('annotation');
    expect(refusal(() => checkDigest('', 'digest')).field).toBe('digest');
  });
});
