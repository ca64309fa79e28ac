export { checkKernels } from './check-kernels.js';
export type { ReadingContext } from './context.js';
export { readingEndpoints } from './endpoints.js';
export { type KernelRecord, KernelStore } from './kernel-store.js';
