import { describe, expect, it } from '@jest/globals';
import { fromNats, headerSafe, toNatsHeaders } from '../message.js';

describe('headerSafe', () => {
  it('makes one printable line of bounded length', () => {
    expect(headerSafe('a\r\nb\tc – d')).toBe('a b c d');
    expect(headerSafe('\n')).toBe('');
    expect(headerSafe('x'.repeat(10_000))).toHaveLength(503);
    expect(headerSafe(String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code)))).toMatch(
      /^[\x20-\x7e]+$/,
    );
  });
});

describe('toNatsHeaders and fromNats', () => {
  it('carries headers both ways', () => {
    const headers = toNatsHeaders({ One: '1', Two: '2' });
    const message = fromNats({ subject: 's', data: new Uint8Array(), headers } as never);
    expect([message.header('One'), message.header('Two'), message.header('one')]).toEqual(['1', '2', '']);
  });

  it('makes no headers of an empty map', () => {
    expect(toNatsHeaders({})).toBeUndefined();
    expect(toNatsHeaders(undefined)).toBeUndefined();
    expect(fromNats({ subject: 's', data: new Uint8Array() } as never).header('Any')).toBe('');
  });
});
