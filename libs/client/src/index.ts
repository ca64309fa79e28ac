export type { DType } from '@tidegate/array';
export { type Box, boxOfShape, formatBox, makeBox, parseBox } from '@tidegate/geometry';
export {
  BadRequestError,
  BusyError,
  ConflictError,
  type DecisionReply,
  type DecisionsReply,
  type Declaration,
  type DeleteReply,
  type ErrorCode,
  type ExplainReply,
  ForbiddenError,
  isTidegateError,
  type KernelListReply,
  type KernelReply,
  NotCoveredError,
  NotFoundError,
  OutOfDomainError,
  type PutReply,
  QuarantinedError,
  type QueryReply,
  type RegionRef,
  type RegisterReply,
  type RollbackReply,
  SizeMismatchError,
  type SteerBody,
  type StepReply,
  StorageFullError,
  type StorageReply,
  type TaskBody,
  TidegateError,
  TimeoutError,
  TooLargeError,
  type TriggerDefinitionInput,
  type TriggerEventBody,
  type TriggerReply,
  type TriggerTestReply,
  UnavailableError,
  UnknownTriggerError,
  UnknownVariableError,
  type VariableRecord,
} from '@tidegate/protocol';
export { type ConnectOptions, connect } from './connect.js';
export { type EventsOptions, type FiredEvent, firedEvent } from './fired-events.js';
export type { Kernels } from './kernels.js';
export type { NdArray } from './nd-array.js';
export type { StoredObject } from './region-reader.js';
export type { CallOptions, GetRequest, PutRequest, StepsRequestOptions } from './requests.js';
export type { SteeringOptions } from './steering.js';
export { type Task, type TasksOptions, taskConsumer } from './task-queue.js';
export type { TaskHandler, TaskOutcome, WorkOptions } from './task-worker.js';
export type { Tidegate } from './tidegate.js';
export type { DecisionsRequest, ExplainRequest, Triggers, TriggerTestRequest } from './triggers.js';
