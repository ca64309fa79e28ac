import { expect, test } from '@jest/globals';
import { HEADER_SCHEMAS } from '../header-schema.js';
import { HEADERS } from '../headers.js';
import { parsePutHeaders } from '../put-descriptor.js';

test('every header is described, and no other', () => {
  expect(Object.keys(HEADER_SCHEMAS).sort()).toEqual(Object.values(HEADERS).sort());
  for (const { description } of Object.values(HEADER_SCHEMAS)) expect(description).toMatch(/^[A-Z].*\.$/);
});

test('the patterns pass what a put takes', () => {
  const put = {
    [HEADERS.variable]: 'T',
    [HEADERS.step]: '7',
    [HEADERS.box]: '0:4,10:8000',
    [HEADERS.run]: 'r-1',
    [HEADERS.id]: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    [HEADERS.wait]: '100',
    [HEADERS.digest]: `sha256:${'0f'.repeat(32)}`,
  };
  parsePutHeaders((name) => (put as Record<string, string>)[name] ?? '');
  for (const [name, text] of Object.entries(put)) {
    const { pattern = '' } = HEADER_SCHEMAS[name as keyof typeof put];
    expect(text).toMatch(new RegExp(pattern));
    if (pattern !== '') expect(' x ').not.toMatch(new RegExp(pattern));
  }
});
