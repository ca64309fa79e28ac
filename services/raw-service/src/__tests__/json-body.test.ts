import { describe, expect, test } from '@jest/globals';
import { BadRequestError } from '@tidegate/protocol';
import { idList, jsonBody, jsonReply } from '../json-body.js';

const request = (text: string) => ({ data: new TextEncoder().encode(text) });

describe('jsonBody', () => {
  test('reads a map, and refuses what is none', () => {
    expect(jsonBody(request('{"a":1}'))).toEqual({ a: 1 });
    for (const text of ['', '{', '[1]', 'null', '7', '"a"'])
      expect(() => jsonBody(request(text))).toThrow(BadRequestError);
  });

  test('reads back what it replies', () => {
    expect(jsonBody(jsonReply({ deep: { list: [1, 'ä'] } }))).toEqual({ deep: { list: [1, 'ä'] } });
  });
});

describe('idList', () => {
  test('takes lists of texts alone', () => {
    expect(idList(['a', 'b'])).toEqual(['a', 'b']);
    for (const ids of [undefined, 'a', [1], [['a']], { 0: 'a' }]) expect(() => idList(ids)).toThrow(BadRequestError);
  });
});
