import { expect, it } from '@jest/globals';
import * as client from '../index.js';

it('exports what programs are written with', () => {
  expect(Object.keys(client).sort()).toEqual([
    'BadRequestError',
    'BusyError',
    'ConflictError',
    'ForbiddenError',
    'NotCoveredError',
    'NotFoundError',
    'OutOfDomainError',
    'QuarantinedError',
    'SizeMismatchError',
    'StorageFullError',
    'TidegateError',
    'TimeoutError',
    'TooLargeError',
    'UnavailableError',
    'UnknownTriggerError',
    'UnknownVariableError',
    'boxOfShape',
    'connect',
    'firedEvent',
    'formatBox',
    'isTidegateError',
    'makeBox',
    'parseBox',
    'taskConsumer',
  ]);
});
