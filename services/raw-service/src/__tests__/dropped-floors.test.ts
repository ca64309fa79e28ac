import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DroppedFloors } from '../dropped-floors.js';
import type { EvictionPolicy } from '../eviction.js';
import { Journal } from '../journal.js';

let root: string;
let policy: EvictionPolicy | undefined;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'floors-'));
  policy = { window: 2, onEvict: 'drop', durability: 'memory', createdAt: '1' };
});
afterEach(() => rm(root, { recursive: true, force: true }));

function open() {
  const { journal, recovered } = Journal.open(join(root, 'journal'));
  return { journal, floors: new DroppedFloors(journal, recovered.entries, () => policy) };
}

describe('DroppedFloors', () => {
  test('rise only, and stand over restarts', () => {
    const first = open();
    first.floors.raise('T', 'a', 5, 0);
    first.floors.raise('T', 'b', 7, 0);
    first.floors.raise('T', 'a', 4, 0);
    first.floors.entered('T', 'a', 0);
    first.journal.close();
    const second = open();
    expect(second.floors.list()).toEqual([
      { variable: 'T', run: 'a', floor: 5 },
      { variable: 'T', run: 'b', floor: 7 },
    ]);
    second.journal.close();
  });

  test('end with a rollback', () => {
    const { floors, journal } = open();
    floors.raise('T', 'a', 50, 0);
    floors.entered('T', 'a', 1);
    expect(floors.list()).toEqual([]);
    floors.raise('T', 'a', 20, 1);
    expect(floors.list()).toEqual([{ variable: 'T', run: 'a', floor: 20 }]);
    floors.raise('T', 'a', 10, 2);
    expect(floors.list()).toEqual([{ variable: 'T', run: 'a', floor: 10 }]);
    journal.close();
    const again = open();
    expect(again.floors.list()).toEqual([{ variable: 'T', run: 'a', floor: 10 }]);
    again.journal.close();
  });

  test('belong to one declaration of the variable', () => {
    const { floors, journal } = open();
    floors.raise('T', 'a', 50, 0);
    policy = undefined;
    expect(floors.list()).toEqual([]);
    policy = { window: 2, onEvict: 'drop', durability: 'memory', createdAt: '2' };
    expect(floors.list()).toEqual([]);
    floors.raise('T', 'a', 3, 0);
    expect(floors.list()).toEqual([{ variable: 'T', run: 'a', floor: 3 }]);
    journal.close();
  });
});
