export { type KernelBenchRow, kernelBench } from './kernel-bench.js';
