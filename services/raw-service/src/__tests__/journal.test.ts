import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Journal } from '../journal.js';

let root: string;
let path: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'journal-'));
  path = join(root, 'journal');
});
afterEach(() => rm(root, { recursive: true, force: true }));

function reopen() {
  const { journal, recovered } = Journal.open(path);
  journal.close();
  return recovered;
}

describe('Journal', () => {
  test('recovers the newest value of each key', async () => {
    const { journal, recovered } = Journal.open(path);
    expect(recovered).toEqual({ entries: new Map(), cutBytes: 0 });
    journal.set('a', { n: 1 });
    journal.set('b', 'grüße');
    journal.set('a', { n: 2 });
    journal.set('c', [3]);
    journal.delete(['c', 'unknown']);
    journal.delete(['unknown']);
    journal.close();
    expect([...reopen().entries]).toEqual([
      ['b', 'grüße'],
      ['a', { n: 2 }],
    ]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('cuts a tail that was torn or changed at any byte of the last record', async () => {
    const { journal } = Journal.open(path);
    journal.set('first', 1);
    const whole = journal.bytes;
    journal.set('last', { box: '0:4' });
    journal.close();
    const bytes = (await readFile(path)).subarray(0, journal.bytes);
    for (let at = whole; at < bytes.length; at++) {
      await writeFile(path, bytes.subarray(0, at));
      const torn = reopen();
      expect(torn.entries).toEqual(new Map([['first', 1]]));
      // Zeros at the end are no damage.
      expect(torn.cutBytes).toBeLessThanOrEqual(at - whole);
      expect(torn.cutBytes > 0).toBe(at > whole);
      expect((await stat(path)).size).toBe(whole);
      for (const mask of [0x01, 0x80, 0xff]) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ mask;
        await writeFile(path, flipped);
        expect(reopen()).toEqual({ entries: new Map([['first', 1]]), cutBytes: bytes.length - whole });
      }
    }
    await writeFile(path, Buffer.concat([bytes, Buffer.alloc(40)]));
    expect(reopen()).toMatchObject({ cutBytes: 0, entries: { size: 2 } });
    await writeFile(path, Buffer.concat([bytes, Buffer.alloc(40), Buffer.from('x'), Buffer.alloc(40)]));
    expect(reopen()).toMatchObject({ cutBytes: 41, entries: { size: 2 } });
    expect(reopen()).toMatchObject({ cutBytes: 0, entries: { size: 2 } });
  });

  test('goes on behind a cut tail', async () => {
    const { journal } = Journal.open(path);
    journal.set('a', 1);
    journal.close();
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from('torn')]));
    const second = Journal.open(path).journal;
    second.set('b', 2);
    second.close();
    expect(reopen().entries).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
  });

  test('has room for deletions at all times, whatever becomes of the file system', async () => {
    const { journal } = Journal.open(path);
    const keys = Array.from({ length: 2000 }, (_, i) => `key ${i}`);
    for (const key of keys) journal.set(key, 'x'.repeat(key.length));
    const { size } = await stat(path);
    for (const key of keys) {
      journal.delete([key]);
      if (journal.bytes > size) break;
      expect((await stat(path)).size).toBeLessThanOrEqual(size);
    }
    expect(journal.bytes).toBeLessThan(size);
    journal.close();
    expect(reopen()).toEqual({ entries: new Map(), cutBytes: 0 });
  });

  test('a file shorter than its magic is a new journal; another file is refused', async () => {
    await writeFile(path, 'TIDE');
    expect(reopen()).toEqual({ entries: new Map(), cutBytes: 4 });
    await writeFile(path, 'TIDEJRN2 of another version');
    expect(() => Journal.open(path)).toThrow(/expected a journal that starts with TIDEJRN1/);
  });

  test('stays small through a million sets and deletions of one slot', () => {
    const { journal } = Journal.open(path);
    journal.set('standing', 'x');
    let largest = 0;
    for (let i = 0; i < 1_000_000; i++) {
      journal.set('slot', i);
      journal.delete(['slot']);
      if (journal.bytes > largest) largest = journal.bytes;
    }
    expect(largest).toBeLessThan(300 * 1024);
    journal.close();
    expect(reopen().entries).toEqual(new Map([['standing', 'x']]));
  });

  test('keeps every live record through compactions, and leaves no second file', async () => {
    const value = fc.string({ maxLength: 3000 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 40 }), fc.option(value)), { maxLength: 1500, size: 'max' }),
        async (operations) => {
          await rm(path, { force: true });
          const { journal } = Journal.open(path);
          const model = new Map<string, string>();
          for (const [key, text] of operations) {
            if (text === null) {
              journal.delete([String(key)]);
              model.delete(String(key));
            } else {
              journal.set(String(key), text);
              model.set(String(key), text);
            }
          }
          journal.close();
          expect(reopen().entries).toEqual(model);
          expect(await readdir(root)).toEqual(['journal']);
        },
      ),
      { numRuns: 20 },
    );
  });

  test('compacts records that are larger than its buffers', () => {
    const { journal } = Journal.open(path);
    const large = 'x'.repeat(3 << 20);
    journal.set('large', large);
    for (let i = 0; i < 6; i++) journal.set('turn', large);
    journal.delete(['turn']);
    for (let i = 0; i < 100; i++) journal.set(`small ${i}`, i);
    expect(journal.bytes).toBeLessThan(7 << 20);
    journal.close();
    const { entries } = reopen();
    expect(entries.get('large')).toBe(large);
    expect(entries.size).toBe(101);
  });

  test('a compaction that a crash interrupted is forgotten', async () => {
    const { journal } = Journal.open(path);
    journal.set('a', 1);
    journal.close();
    await writeFile(`${path}.new`, 'half a file');
    expect(reopen().entries).toEqual(new Map([['a', 1]]));
    expect(await readdir(root)).toEqual(['journal']);
  });
});
