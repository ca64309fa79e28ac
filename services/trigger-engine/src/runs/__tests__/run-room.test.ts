import { describe, expect, test } from '@jest/globals';
import { RunRoom } from '../run-room.js';

describe('RunRoom', () => {
  test('makes room by dropping what is idle for longest, never what is busy', () => {
    const room = new RunRoom(2);
    const dropped: string[] = [];
    const busy = { idle: false, usedAt: 1 };
    const old = { idle: true, usedAt: 2 };
    room.add(busy, () => dropped.push('busy'));
    room.add(old, () => dropped.push('old'));
    const newer = { idle: true, usedAt: 3 };
    room.add(newer, () => dropped.push('newer'));
    expect(dropped).toEqual(['old']);
    newer.idle = false;
    room.add({ idle: true, usedAt: 4 }, () => dropped.push('last'));
    expect(dropped).toEqual(['old']);
    expect(room.size).toBe(3);
    room.delete(busy);
    expect(room.size).toBe(2);
  });
});
