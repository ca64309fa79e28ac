export type { CompiledTrigger, ValidDefinition } from './semantics/index.js';
