import { describe, expect, test } from '@jest/globals';
import { DiskRoom } from '../disk-room.js';
import type { FileSystemUse } from '../file-system-use.js';
import { recordingLogger } from './partition-samples.js';

const log = recordingLogger();

function openRoom(limitBytes: number) {
  const state = { use: { totalBytes: 1e12, usedBytes: 0, inodeShare: 0 } as FileSystemUse | Error };
  const fileSystemUse = async () => {
    if (state.use instanceof Error) throw state.use;
    return state.use;
  };
  return { room: new DiskRoom({ directory: '/data', limitBytes, logger: log.logger, fileSystemUse }), state };
}

describe('DiskRoom', () => {
  test('keeps the reserve of its limit, counting what is held', () => {
    const { room } = openRoom(1_000_000);
    expect(room.hold(900_000)).toBe(true);
    expect([room.fits(47_000), room.fits(49_000)]).toEqual([true, false]);
    expect(room.full(49_000)).toMatchObject({
      code: 'STORAGE_FULL',
      storage: { limit: 'disk', state: 'full', limitBytes: 1_000_000, needBytes: 49_000 },
    });
    room.release(900_000);
    room.add(860_000);
    expect([room.usedBytes, room.level]).toEqual([860_000, 'nearfull']);
    room.subtract(860_000);
    expect([room.usedBytes, room.level]).toEqual([0, 'ok']);
  });

  test('keeps the reserve of the file system, in bytes and inodes', async () => {
    const { room, state } = openRoom(1e9);
    for (const [use, level] of [
      [{ totalBytes: 1e9, usedBytes: 0.86e9, inodeShare: 0 }, 'nearfull'],
      [{ totalBytes: 1e9, usedBytes: 0.951e9, inodeShare: 0 }, 'full'],
      [{ totalBytes: 1e9, usedBytes: 0.1e9, inodeShare: 0.96 }, 'full'],
      [{ totalBytes: 1e9, usedBytes: 0.1e9, inodeShare: 0.1 }, 'ok'],
    ] as const) {
      state.use = use;
      await room.refresh();
      expect([room.level, room.fits(1000)]).toEqual([level, level !== 'full']);
    }
    state.use = { totalBytes: 1e9, usedBytes: 0.951e9, inodeShare: 0 };
    await room.refresh();
    expect(room.refusal()).toMatchObject({ usedBytes: 0.951e9, limitBytes: 1e9 });
  });

  test('counts what was written since it asked, and goes on when it gets no answer', async () => {
    const { room, state } = openRoom(1e9);
    state.use = { totalBytes: 1e6, usedBytes: 900_000, inodeShare: 0 };
    await room.refresh();
    expect(room.fits(40_000)).toBe(true);
    room.wrote(20_000);
    expect(room.fits(40_000)).toBe(false);
    state.use = new Error('stale handle');
    await room.refresh();
    expect(log.lines).toMatchObject([{ msg: 'the use of the file system is not known' }]);
    expect(room.fits(40_000)).toBe(true);
  });
});
