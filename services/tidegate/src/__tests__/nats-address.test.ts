import { describe, expect, test } from '@jest/globals';
import { BadRequestError } from '@tidegate/protocol';
import { parseNatsAddress } from '../nats-address.js';

describe('parseNatsAddress', () => {
  test('takes credentials out of the URL', () => {
    expect(parseNatsAddress('nats://ann:s%40fe@host:4222')).toEqual({
      servers: ['nats://host:4222'],
      user: 'ann',
      pass: 's@fe',
    });
    expect(parseNatsAddress('nats://t0ken@host:4222')).toEqual({ servers: ['nats://host:4222'], token: 't0ken' });
  });

  test('takes several URLs, bare hosts, and TLS', () => {
    expect(parseNatsAddress('nats://a:1, b:2')).toEqual({ servers: ['nats://a:1', 'nats://b:2'] });
    expect(parseNatsAddress('tls://a')).toEqual({ servers: ['tls://a'], tls: {} });
  });

  test('refuses others without telling their password', () => {
    expect(() => parseNatsAddress('')).toThrow(BadRequestError);
    expect(() => parseNatsAddress('ftp://ann:secret@host')).toThrow(/^expected a URL such as (?!.*secret)/);
  });
});
