export type { ActionContext } from './context.js';
export { type DeadLetters, startDeadLetters } from './dead-letter.js';
export { noteSettled, perform } from './perform.js';
export { SettledLog, settledSequence } from './settled.js';
export { ensureTaskConsumer } from './task-consumer.js';
