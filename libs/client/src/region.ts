/** The planning and reading of regions, for services that do it near the data. Not for users of the SDK. */
export { type CoveredSearch, findCovered, type StepSearch } from './covered-steps.js';
export { namedStep, stepSearch } from './named-step.js';
export { busPieceSource, chunkBytes, type PieceSource, type ReadOptions } from './piece-reader.js';
export { joinMissing, joinPieces, type PlannedPiece } from './plan.js';
export { planRegion, type Region, type RegionPlan } from './region-planner.js';
export { RegionReader, type StoredObject } from './region-reader.js';
export { RegionWaits, type WaitOptions } from './region-waits.js';
export { boxBytes, boxWithin, type VariableHandle, variableHandle } from './variable-handle.js';
