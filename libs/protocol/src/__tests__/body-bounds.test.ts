import { describe, expect, test } from '@jest/globals';
import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { isJsonTooDeep, MAX_DEPTH, messagePackFault } from '../body-bounds.js';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** A JSON value of exactly `depth` levels. */
const deepValue = fc
  .tuple(fc.integer({ min: 0, max: 80 }), fc.array(fc.boolean(), { minLength: 80, maxLength: 80 }), fc.string())
  .map(([depth, kinds, text]) => {
    let value: unknown = text;
    for (let level = 0; level < depth; level++) value = kinds[level] ? [1, value] : { [`${text}!`]: value, z: '[{"' };
    return { depth, value };
  });

describe('isJsonTooDeep', () => {
  test('agrees with the depth of the parsed value', () => {
    fc.assert(
      fc.property(deepValue, ({ depth, value }) => {
        const bytes = new TextEncoder().encode(JSON.stringify(value));
        expect(isJsonTooDeep(bytes)).toBe(depth > MAX_DEPTH);
      }),
    );
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        expect(depthOf(JSON.parse(text))).toBeLessThanOrEqual(MAX_DEPTH);
        expect(isJsonTooDeep(new TextEncoder().encode(text))).toBe(false);
      }),
    );
  });

  test.each([
    ['brackets in texts', JSON.stringify({ a: '['.repeat(200) })],
    ['escaped quotes', JSON.stringify({ a: `\\"${'{'.repeat(200)}\\`, b: '"[[' })],
    ['many that are closed again', `{"a":[${'[],'.repeat(500)}{}]}`],
    ['a text that never ends', `{"a":"${'['.repeat(200)}`],
    ['a backslash at the end', '{"a":"\\'],
  ])('is not misled by %s', (_, text) => {
    expect(isJsonTooDeep(new TextEncoder().encode(text))).toBe(false);
  });
});

describe('messagePackFault', () => {
  test('passes whatever the encoder writes, down to 64 levels', () => {
    const value = fc.anything({
      maxDepth: 4,
      withNullPrototype: false,
      values: [fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.uint8Array()],
    });
    fc.assert(fc.property(value, (anything) => messagePackFault(encode(anything)) === undefined));
    fc.assert(
      fc.property(deepValue, ({ depth, value: deep }) => {
        const fault = messagePackFault(encode(deep, { maxDepth: 100 }));
        expect(fault).toBe(depth > MAX_DEPTH ? `it nests deeper than ${MAX_DEPTH}` : undefined);
      }),
    );
  });

  test('passes every length form', () => {
    for (const length of [0, 15, 16, 31, 32, 255, 256, 65_535, 65_536]) {
      const values = Array.from({ length }, (_, index) => index);
      expect(messagePackFault(encode('x'.repeat(length)))).toBeUndefined();
      expect(messagePackFault(encode('é'.repeat(length)))).toBeUndefined();
      expect(messagePackFault(encode(new Uint8Array(length)))).toBeUndefined();
      expect(messagePackFault(encode(values))).toBeUndefined();
      expect(messagePackFault(encode(Object.fromEntries(values.map((key) => [`k${key}`, key]))))).toBeUndefined();
    }
  });

  test('what it passes, the decoder takes, but for keys; what the decoder takes, it passes, but for what it refuses', () => {
    const heads = [0x00, 0x82, 0x92, 0xa2, 0xc0, 0xc1, 0xc4, 0xca, 0xcd, 0xd0, 0xd3, 0xd9, 0xdc, 0xde, 0xe0, 0xff];
    const byte = fc.oneof(fc.constantFrom(...heads), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 255 }));
    let taken = 0;
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 12 }), (list) => {
        const bytes = Uint8Array.from(list);
        const fault = messagePackFault(bytes);
        let refused: string | undefined;
        try {
          decode(bytes);
          taken++;
        } catch (error) {
          refused = String(error);
        }
        if (fault === undefined && refused !== undefined) expect(refused).toMatch(/key/);
        if (fault !== undefined && refused === undefined) expect(fault).toMatch(/UTF-8|is not accepted/);
      }),
      { numRuns: 5000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('reads a view from where it begins', () => {
    const bytes = Uint8Array.from([0xff, 0xff, ...encode({ a: 'x'.repeat(300) }), 0xff]);
    expect(messagePackFault(bytes.subarray(2, bytes.length - 1))).toBeUndefined();
  });
});
