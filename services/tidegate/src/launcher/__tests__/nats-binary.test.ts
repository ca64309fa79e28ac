import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { UnavailableError } from '@tidegate/protocol';
import { type TemporaryDirectory, temporaryDirectory } from '@tidegate/testing';
import { findNatsServer } from '../nats-binary.js';

let folder: TemporaryDirectory;
beforeEach(async () => {
  folder = await temporaryDirectory();
});
afterEach(() => folder.remove());

function program(name: string, mode = 0o755): string {
  mkdirSync(join(folder.path, name));
  const path = join(folder.path, name, 'nats-server');
  writeFileSync(path, '', { mode });
  return path;
}

describe('findNatsServer', () => {
  test('prefers the named one, then the checkout, then PATH', () => {
    const [named, checkout, onPath] = [program('named'), program('checkout'), program('path')];
    const env = { TIDEGATE_NATS_SERVER: named, PATH: join(folder.path, 'path') };
    expect(findNatsServer(env, join(folder.path, 'checkout'))).toBe(named);
    expect(findNatsServer({ ...env, TIDEGATE_NATS_SERVER: '' }, join(folder.path, 'checkout'))).toBe(checkout);
    expect(findNatsServer({ PATH: env.PATH }, join(folder.path, 'none'))).toBe(onPath);
  });

  test('passes over what cannot be run', () => {
    program('plain', 0o644);
    mkdirSync(join(folder.path, 'odd', 'nats-server'), { recursive: true });
    const onPath = program('path');
    const PATH = [join(folder.path, 'plain'), '', join(folder.path, 'odd'), join(folder.path, 'path')].join(':');
    expect(findNatsServer({ PATH }, join(folder.path, 'none'))).toBe(onPath);
  });

  test('says where it looked', () => {
    const none = join(folder.path, 'none');
    expect(() => findNatsServer({ PATH: '/a:/b' }, none)).toThrow(UnavailableError);
    expect(() => findNatsServer({ PATH: '/a:/b' }, none)).toThrow(`there is none in ${none}, /a, /b;`);
    expect(() => findNatsServer({ TIDEGATE_NATS_SERVER: none }, none)).toThrow(
      `to name an executable file, got ${none}`,
    );
  });
});
