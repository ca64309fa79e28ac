export type { CompiledTrigger, ValidDefinition } from './semantics/index.js';
export { startTriggerEngine, type TriggerEngine, type TriggerEngineOptions } from './trigger-engine.js';
