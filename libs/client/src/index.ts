export type { DType } from '@tidegate/array';
export { type Box, boxOfShape, formatBox, makeBox, parseBox } from '@tidegate/geometry';
export {
  BadRequestError,
  BusyError,
  ConflictError,
  type Declaration,
  type DeleteReply,
  type ErrorCode,
  ForbiddenError,
  isTidegateError,
  NotCoveredError,
  NotFoundError,
  OutOfDomainError,
  type PutReply,
  QuarantinedError,
  type QueryReply,
  type RegionRef,
  type RollbackReply,
  SizeMismatchError,
  type StepReply,
  StorageFullError,
  type StorageReply,
  TidegateError,
  TimeoutError,
  TooLargeError,
  UnavailableError,
  UnknownVariableError,
  type VariableRecord,
} from '@tidegate/protocol';
export { type ConnectOptions, connect } from './connect.js';
export type { NdArray } from './nd-array.js';
export type { StoredObject } from './region-reader.js';
export type { CallOptions, GetRequest, PutRequest, StepsRequestOptions, Tidegate } from './tidegate.js';
