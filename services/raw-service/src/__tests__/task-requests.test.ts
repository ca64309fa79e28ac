import { describe, expect, test } from '@jest/globals';
import { parseBox } from '@tidegate/geometry';
import { CheckRun } from '@tidegate/kernels';
import { BadRequestError } from '@tidegate/protocol';
import { parseCheckRequest, parseDeriveRequest } from '../task-requests.js';

const round = new CheckRun({
  checks: { mx: { reduce: 'max' } },
  dtype: 'float64',
  shape: [8, 8],
  box: parseBox('0:8,0:8'),
}).next();
const piece = { id: 'A', box: '0:4,0:8', raw: 'raw1' };
const check = { variable: 'T', round, pieces: [piece], deadlineMs: 1000 };
const derive = {
  transform: { downsample: 2 },
  variable: 'T',
  run: 'r',
  step: 3,
  to: 'U',
  pieces: [{ ...piece, derivedId: 'B' }],
  activity: 'action',
  deadlineMs: 1000,
};

function fieldOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof BadRequestError) return error.field;
    throw error;
  }
  return '';
}

describe('parseCheckRequest', () => {
  test('reads boxes of pieces and of what they are compared with', () => {
    const previous = [{ id: 'P', box: '0:2,0:8', raw: 'raw2' }];
    const { pieces, ...rest } = parseCheckRequest({ ...check, pieces: [piece, { ...piece, previous }] });
    const place = { id: 'A', box: parseBox('0:4,0:8'), raw: 'raw1' };
    expect(pieces).toEqual([place, { ...place, previous: [{ id: 'P', box: parseBox('0:2,0:8'), raw: 'raw2' }] }]);
    expect(rest).toMatchObject({ variable: 'T', deadlineMs: 1000, round: { dtype: 'float64' } });
  });

  test('names what is wrong', () => {
    const bad: Record<string, object> = {
      variable: { variable: 'a b' },
      round: { round: 7 },
      pieces: { pieces: 'A' },
      'pieces.0': { pieces: [null] },
      'pieces.1.box': { pieces: [piece, { ...piece, box: '4:0' }] },
      'pieces.0.id': { pieces: [{ ...piece, id: 7 }] },
      'pieces.0.raw': { pieces: [{ ...piece, raw: 'x.y' }] },
      'pieces.0.previous': { pieces: [{ ...piece, previous: 3 }] },
      'pieces.0.previous.0.box': { pieces: [{ ...piece, previous: [{ ...piece, box: 'x' }] }] },
      deadlineMs: { deadlineMs: 0 },
    };
    for (const [field, change] of Object.entries(bad)) {
      const got = fieldOf(() => parseCheckRequest({ ...check, ...change }));
      expect(field === 'round' ? got !== '' : got === field).toBe(true);
    }
    const many = Array.from({ length: 1025 }, () => piece);
    expect(fieldOf(() => parseCheckRequest({ ...check, pieces: many }))).toBe('pieces');
  });
});

describe('parseDeriveRequest', () => {
  test('reads the transform and the ids of what it makes', () => {
    expect(parseDeriveRequest(derive)).toMatchObject({
      transform: { downsample: 2 },
      to: 'U',
      pieces: [{ id: 'A', derivedId: 'B', box: parseBox('0:4,0:8') }],
    });
  });

  test('names what is wrong', () => {
    const bad: Record<string, object> = {
      downsample: { transform: { downsample: 1 } },
      step: { step: -1 },
      run: { run: '' },
      to: { to: undefined },
      'pieces.0.derivedId': { pieces: [piece] },
      activity: { activity: '' },
      deadlineMs: { deadlineMs: '5' },
    };
    for (const [field, change] of Object.entries(bad))
      expect(fieldOf(() => parseDeriveRequest({ ...derive, ...change }))).toBe(field);
  });
});
