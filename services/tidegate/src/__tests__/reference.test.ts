import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { asyncApiDocument } from '@tidegate/protocol';

it('docs/reference/asyncapi.json is what `tidegate asyncapi` prints: regenerate it after a change', () => {
  const file = new URL('../../../../docs/reference/asyncapi.json', import.meta.url);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(asyncApiDocument())));
});
