export { appliesTo, matchesRun } from '@tidegate/protocol';
export { canonicalJson, type Json } from './canonical-json.js';
export {
  type CheckType,
  type CheckValue,
  checkType,
  decodeNumber,
  encodeNumber,
  encodeValue,
  type WireNumber,
} from './check-value.js';
export {
  type Advance,
  advance,
  type CompareInput,
  type CompareRules,
  type CompareState,
  INITIAL_STATE,
  isKnown,
  type Phase,
  type Truth,
  type Unknown,
  type Verdict,
} from './compare-state.js';
export { decideStep, explainStep, type Measurement, type StepOutcome } from './decide-step.js';
export {
  actionId,
  type Decision,
  type DecisionKey,
  decisionId,
  decisionOf,
  eventOf,
  type OutboxEntry,
  outboxOf,
  type Rollback,
  stateAfterRollbacks,
} from './decision.js';
export {
  type CompleteDefinition,
  type CompleteScope,
  completeDefinition,
  definitionDigest,
  type TriggerNode,
  triggerTree,
} from './definition.js';
export {
  type CheckShape,
  checkNameFault,
  type ExplainedPart,
  type Expression,
  ExpressionCompiler,
  type ExpressionScope,
} from './expression.js';
export { EXPRESSION_LIMITS } from './expression-bounds.js';
export { ExpressionError } from './expression-error.js';
export type { ExpressionInput, Part } from './expression-input.js';
export { extendHistory, type History, type HistoryEntry, type HistoryStep, type Series, seriesOf } from './history.js';
export {
  type CompiledTrigger,
  type DefinitionContext,
  type Derivation,
  type ValidDefinition,
  validateDefinition,
} from './validate-definition.js';
