import { expect, it } from '@jest/globals';
import { BadRequestError } from '@tidegate/protocol';
import { validateDefinition } from '../../semantics/index.js';
import { checkKernels } from '../check-kernels.js';

const stored = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;
const kernels = {
  describe: (digest: string) =>
    Promise.resolve(digest === stored ? { digest, exports: ['score', 'blur'], bytes: 100 } : undefined),
};

async function fieldOf(more: object): Promise<string | undefined> {
  const map = { name: 't', on: { variable: 'T' }, ...more };
  const { definition } = validateDefinition(map, { variable: { name: 'T', dtype: 'float64', shape: [8] } });
  try {
    await checkKernels({ kernels }, definition);
    return undefined;
  } catch (error) {
    if (!(error instanceof BadRequestError)) throw error;
    expect(error.message).toContain(error.field);
    return error.field;
  }
}

const score = (digest: string, name = 'score') => ({ s: { wasm: { digest, export: name } } });
const derive = (digest: string) => ({ derive: { transform: { wasm: { digest, export: 'blur' } }, to: 'S' } });

it('lets definitions pass whose kernels are stored', async () => {
  expect(await fieldOf({ check: { mx: { reduce: 'max' } } })).toBeUndefined();
  expect(await fieldOf({ check: score(stored), action: [derive(stored)] })).toBeUndefined();
});

it('names the key of a kernel or export that is missing, also in nested triggers and transforms', async () => {
  expect(await fieldOf({ check: score(other) })).toBe('check.s.wasm.digest');
  expect(await fieldOf({ check: score(stored, 'nothing') })).toBe('check.s.wasm.export');
  expect(await fieldOf({ action: [{ emit: {} }, derive(other)] })).toBe('action.1.derive.transform.wasm.digest');
  const nested = { trigger: { name: 'c', check: score(other) } };
  expect(await fieldOf({ action: [nested] })).toBe('action.0.trigger.check.s.wasm.digest');
});
