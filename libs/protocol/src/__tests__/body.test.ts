import { describe, expect, test } from '@jest/globals';
import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { decodeBody, type Encoding, encodeBody } from '../body.js';
import { BadRequestError } from '../errors.js';

const utf8 = new TextEncoder();
const ENCODINGS: readonly Encoding[] = ['json', 'msgpack'];

function refusal(bytes: Uint8Array): BadRequestError {
  try {
    decodeBody(bytes);
  } catch (error) {
    if (error instanceof BadRequestError) return error;
    throw error;
  }
  throw new Error(`accepted ${Buffer.from(bytes).toString('hex')}`);
}

/** Bytes of `head` repeated, then `tail`. */
function nested(head: readonly number[], times: number, tail: readonly number[]): Uint8Array {
  return Uint8Array.from([...Array.from({ length: times }, () => head).flat(), ...tail]);
}

describe('decodeBody', () => {
  test('an empty body is an empty map, answered in JSON', () => {
    expect(decodeBody(new Uint8Array())).toEqual({ map: {}, encoding: 'json' });
  });

  test('the first byte tells the encoding', () => {
    expect(decodeBody(utf8.encode('{"a":[1,"é"]}'))).toEqual({ map: { a: [1, 'é'] }, encoding: 'json' });
    expect(decodeBody(encode({ a: [1, 'é'] }))).toEqual({ map: { a: [1, 'é'] }, encoding: 'msgpack' });
  });

  test.each([
    ['JSON that is cut', '{"a":'],
    ['JSON with something after it', '{} x'],
    ['a JSON array', '[1,2]'],
    ['a JSON text', '"a"'],
    ['JSON after a space', ' {}'],
    ['words', 'hello'],
    ['JSON with a comment', '{/**/}'],
  ])('refuses %s', (_, text) => {
    expect(refusal(utf8.encode(text))).toMatchObject({ field: 'body', status: 400 });
  });

  test.each<[string, Uint8Array, string]>([
    ['an array', encode([1, 2]), 'an array'],
    ['nil', encode(null), 'null'],
    ['a number', encode(7), 'a number'],
    ['a text', encode('name'), 'a string'],
    ['bytes', encode(new Uint8Array(3)), 'bytes'],
  ])('refuses MessagePack that is %s and says so', (_, bytes, said) => {
    expect(refusal(bytes).message).toBe(`expected a map, got ${said}`);
  });

  test('refuses every truncation of a MessagePack body', () => {
    const whole = encode({
      name: 'T',
      shape: [300, 70_000, -5],
      note: 'x'.repeat(40),
      f: 1.5,
      deep: { a: [true, null] },
    });
    expect(decodeBody(whole).encoding).toBe('msgpack');
    for (let length = 1; length < whole.length; length++) {
      expect(refusal(whole.slice(0, length)).message).toContain(`got ${length} bytes`);
    }
    expect(refusal(Uint8Array.from([...whole, 0])).message).toContain('1 bytes follow its end');
  });

  test('refuses text that is not UTF-8, in both encodings', () => {
    expect(refusal(Uint8Array.from([...utf8.encode('{"a":"'), 0xff, ...utf8.encode('"}')])).field).toBe('body');
    expect(refusal(Uint8Array.from([0x81, 0xa1, 0x61, 0xa1, 0xff])).message).toContain('not UTF-8');
    expect(refusal(Uint8Array.from([0x81, 0xa3, 0xed, 0xa0, 0x80, 0x01])).message).toContain('not UTF-8');
  });

  test('refuses MessagePack extensions, timestamps and empty ones included', () => {
    expect(refusal(encode(new Date(0))).message).toContain('0xd6');
    expect(refusal(Uint8Array.from([0xc7, 0x00, 0x05])).message).toContain('0xc7');
    expect(refusal(Uint8Array.from([0x81, 0xa1, 0x61, 0xd4, 0x01, 0x00])).message).toContain('0xd4');
  });

  test('refuses map keys that are neither texts nor numbers', () => {
    expect(refusal(Uint8Array.from([0x81, 0x90, 0x01])).message).toContain('keys');
    expect(refusal(Uint8Array.from([0x81, 0xc0, 0x01])).message).toContain('keys');
  });

  test('refuses lengths that are not there without allocating for them', () => {
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    // Each claims 2^20 entries, which a trusting decoder takes 8 MiB for.
    expect(refusal(nested([0xdd, 0x00, 0x10, 0x00, 0x00], 60, [])).message).toContain('ends too early');
    for (const head of [0xdd, 0xdf, 0xdb, 0xc6]) {
      expect(refusal(Uint8Array.from([head, 0xff, 0xff, 0xff, 0xff, 1])).message).toContain('ends too early');
    }
    const after = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    expect(after - before).toBeLessThan(64 << 20);
  });

  test('takes 64 levels and refuses more, in both encodings', () => {
    const json = (levels: number) => utf8.encode(`${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`);
    const pack = (levels: number) => nested([0x81, 0xa1, 0x61], levels, [0x01]);
    for (const body of [json(64), pack(64)]) expect(Object.keys(decodeBody(body).map)).toEqual(['a']);
    for (const body of [json(65), pack(65), json(100_000), pack(100_000)]) {
      expect(refusal(body).message).toMatch(/levels|deeper/);
    }
  });

  test('a "__proto__" key changes no prototype', () => {
    const { map } = decodeBody(utf8.encode('{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":2}}}'));
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
    expect(Object.keys(map)).toEqual(['__proto__', 'a']);
    expect(map['polluted']).toBeUndefined();
    expect((map['a'] as Record<string, unknown>)['polluted']).toBeUndefined();
    const key = utf8.encode('__proto__');
    expect(refusal(Uint8Array.from([0x81, 0xa0 | key.length, ...key, 0x80])).message).toContain('__proto__');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('of duplicate keys the last one counts', () => {
    expect(decodeBody(utf8.encode('{"a":1,"a":2}')).map).toEqual({ a: 2 });
    expect(decodeBody(Uint8Array.from([0x82, 0xa1, 0x61, 1, 0xa1, 0x61, 2])).map).toEqual({ a: 2 });
  });

  test('fuzz: whatever comes, it answers a map or throws BadRequestError', () => {
    const outcome = (bytes: Uint8Array) => {
      try {
        return typeof decodeBody(bytes).map === 'object';
      } catch (error) {
        return error instanceof BadRequestError && !/[\r\n]/.test(error.message);
      }
    };
    const heads = fc.constantFrom(0x7b, 0x80, 0x81, 0x8f, 0xde, 0xdf, 0x93, 0xdc, 0xc7, 0xd9);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), outcome), { numRuns: 3000 });
    fc.assert(
      fc.property(heads, fc.uint8Array({ maxLength: 64 }), (head, rest) => outcome(Uint8Array.from([head, ...rest]))),
      { numRuns: 5000 },
    );
    const broken = fc.tuple(fc.jsonValue(), fc.constantFrom(...ENCODINGS), fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(broken, ([value, encoding, at, byte]) => {
        const bytes = encodeBody({ value }, encoding);
        bytes[at % bytes.length] = byte;
        return outcome(bytes);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('encodeBody', () => {
  test('round trip in both encodings', () => {
    const value = fc.jsonValue({ maxDepth: 5, noUnicodeString: false });
    const keys = fc.string().filter((key) => key !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(keys, value), fc.constantFrom(...ENCODINGS), (map, encoding) => {
        // Through JSON, which has no -0, and without the keys that MessagePack refuses.
        const plain = JSON.parse(JSON.stringify(map)) as Record<string, unknown>;
        if (JSON.stringify(plain).includes('__proto__')) return;
        expect(decodeBody(encodeBody(plain, encoding))).toEqual({ map: plain, encoding });
      }),
    );
  });

  test('leaves undefined keys out, and nothing is the empty body', () => {
    for (const encoding of ENCODINGS) {
      expect(decodeBody(encodeBody({ a: 1, b: undefined }, encoding)).map).toEqual({ a: 1 });
      expect(encodeBody(undefined, encoding)).toHaveLength(0);
    }
  });
});
