export type { CallRequest } from './call-checks.js';
export type { MeasureContext } from './context.js';
export { type Measured, type MeasureOptions, measure } from './measure.js';
export { newestPut } from './newest-put.js';
export { groupPieces, type PieceGroup } from './piece-groups.js';
export {
  measuredBox,
  type PartitionAddress,
  type Planned,
  planStep,
  type StepAddress,
  type StepPlan,
} from './plan-step.js';
