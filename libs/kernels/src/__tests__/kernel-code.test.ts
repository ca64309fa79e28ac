import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { KERNEL_CODE } from '../kernel-code.js';

test('the module that is checked in is what assembly/ compiles to', () => {
  const script = fileURLToPath(new URL('../../scripts/build-wasm.js', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

test('it imports a memory and nothing else', () => {
  const bytes = Buffer.from(KERNEL_CODE, 'base64');
  expect(WebAssembly.validate(bytes)).toBe(true);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  expect(Object.values(exports).filter((x) => typeof x === 'function')).toHaveLength(70);
});
