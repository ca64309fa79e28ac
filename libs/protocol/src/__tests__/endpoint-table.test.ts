import { describe, expect, test } from '@jest/globals';
import type { EndpointEntry } from '../endpoint-entry.js';
import { ENDPOINTS, UPLOAD_ENDPOINTS } from '../endpoint-table.js';
import { ERROR_TABLE } from '../error-table.js';
import { HEADERS } from '../headers.js';
import { PUBLIC } from '../subjects.js';

const ALL: readonly (readonly [string, EndpointEntry])[] = Object.entries({ ...ENDPOINTS, ...UPLOAD_ENDPOINTS });

test('every public subject has its entry', () => {
  expect(Object.fromEntries(Object.entries(ENDPOINTS).map(([key, { subject }]) => [key, subject]))).toEqual(PUBLIC);
});

test('the names in the listing are frozen and unlike each other', () => {
  expect(ALL.map(([, { name }]) => name)).toEqual([
    'variable-declare',
    'variable-get',
    'variable-list',
    'variable-delete',
    'put',
    'put-open',
    'get',
    'query',
    'steps',
    'delete',
    'pin',
    'unpin',
    'run-rollback',
    'storage',
    'trigger-register',
    'trigger-get',
    'trigger-list',
    'trigger-delete',
    'trigger-enable',
    'trigger-disable',
    'trigger-test',
    'trigger-explain',
    'trigger-decisions',
    'kernel-put',
    'kernel-list',
    'put-chunk',
    'put-commit',
  ]);
});

describe.each(ALL)('%s', (_, { name, summary, request, reply, errors }) => {
  test('has a name for the framework and one plain sentence', () => {
    expect(name).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(summary).toMatch(/^[A-Z][^.\n]*\.$/);
  });

  test('lists codes of the table, each once, those that any request may meet included', () => {
    for (const code of errors) expect(Object.keys(ERROR_TABLE)).toContain(code);
    expect(new Set(errors).size).toBe(errors.length);
    expect(errors).toEqual(expect.arrayContaining(['BAD_REQUEST', 'FORBIDDEN', 'BUSY', 'UNAVAILABLE', 'TIMEOUT']));
  });

  test('lists headers of the contract, each once', () => {
    for (const message of [request, reply]) {
      if (message.kind === 'control') continue;
      const headers = [...message.required, ...message.optional];
      for (const header of headers) expect(Object.values(HEADERS)).toContain(header);
      expect(new Set(headers).size).toBe(headers.length);
    }
  });
});
