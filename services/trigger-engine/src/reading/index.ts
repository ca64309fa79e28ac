export { checkKernels } from './check-kernels.js';
export type { ReadingContext } from './context.js';
export { readingEndpoints } from './endpoints.js';
export { KernelStore } from './kernel-store.js';
