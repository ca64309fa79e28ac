import { BadRequestError } from '@tidegate/protocol';
import { type CompleteDefinition, triggerTree } from '../semantics/index.js';
import type { KernelStore } from './kernel-store.js';

interface Use {
  readonly path: string;
  readonly digest: string;
  readonly export: string;
}

/**
 * Checks that the modules that a definition names are stored and have the exports that it calls.
 *
 * @throws BadRequestError whose `field` is the path of the offending key; UnavailableError
 */
export async function checkKernels(
  { kernels }: { readonly kernels: Pick<KernelStore, 'describe'> },
  definition: CompleteDefinition,
): Promise<void> {
  for (const use of kernelsOf(definition)) {
    const kernel = await kernels.describe(use.digest);
    if (kernel === undefined) {
      const field = `${use.path}.digest`;
      throw new BadRequestError(field, `${field}: no kernel ${use.digest} is stored: call tide.v1.kernel.put first`);
    }
    if (!kernel.exports.includes(use.export)) {
      const field = `${use.path}.export`;
      const expected = kernel.exports.slice(0, 8).join(', ');
      throw new BadRequestError(field, `${field}: expected an export of the kernel (${expected}), got "${use.export}"`);
    }
  }
}

function* kernelsOf(definition: CompleteDefinition): Generator<Use> {
  for (const { path, check, action } of triggerTree(definition)) {
    const prefix = path === '' ? '' : `${path}.`;
    for (const [name, { wasm }] of Object.entries(check)) {
      if (wasm !== undefined) yield { path: `${prefix}check.${name}.wasm`, ...wasm };
    }
    for (const [index, { derive }] of action.entries()) {
      const wasm = derive?.transform.wasm;
      if (wasm !== undefined) yield { path: `${prefix}action.${index}.derive.transform.wasm`, ...wasm };
    }
  }
}
