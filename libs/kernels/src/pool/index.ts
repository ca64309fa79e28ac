export type { CheckTask } from '../check-task.js';
export type { FileSlice, PieceData, PreviousData } from '../piece-data.js';
export type { TransformedPiece, TransformTask } from '../transform-task.js';
export { type KernelLogger, KernelPool, type KernelPoolOptions, type KernelPoolStats } from './kernel-pool.js';
