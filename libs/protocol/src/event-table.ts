import type { EventEntry } from './endpoint-entry.js';
import { HEADERS } from './headers.js';
import { rawStorageSchema, runEventSchema } from './reply-schema.js';
import { deadTaskSubject, ROOT, runEventSubject, steerSubject, storageEventSubject, taskSubject } from './subjects.js';
import { steerBodySchema, taskBodySchema, triggerEventSchema } from './trigger-reply-schema.js';

/** What is published for subscribers and workers. */
export const EVENTS = {
  storage: {
    name: 'storage-event',
    stream: 'TIDE_EVENTS',
    subject: storageEventSubject('{rawService}'),
    summary: 'The storage state of a raw-service changed.',
    schema: rawStorageSchema,
  },
  run: {
    name: 'run-event',
    stream: 'TIDE_EVENTS',
    subject: runEventSubject('{run}'),
    summary: 'A run was rolled back.',
    schema: runEventSchema,
  },
  trigger: {
    name: 'trigger-event',
    stream: 'TIDE_EVENTS',
    subject: `${ROOT}.event.trigger.{run}.{trigger}.{epoch}.{step}`,
    summary: 'A trigger fired, told once, as a CloudEvent in binary mode.',
    headers: [
      HEADERS.ceSpecVersion,
      HEADERS.ceId,
      HEADERS.ceSource,
      HEADERS.ceType,
      HEADERS.ceSubject,
      HEADERS.ceTime,
      HEADERS.ceDataContentType,
      HEADERS.decision,
    ],
    schema: triggerEventSchema,
  },
  task: {
    name: 'task',
    stream: 'TIDE_TASKS',
    subject: taskSubject('{task}'),
    summary: 'Work that a trigger asks for; pulled from the durable consumer that has the name of the task.',
    schema: taskBodySchema,
  },
  deadTask: {
    name: 'dead-task',
    stream: 'TIDE_TASKS_DEAD',
    subject: deadTaskSubject('{task}'),
    summary: 'A task that nobody acknowledged up to its last delivery.',
    schema: taskBodySchema,
  },
  steer: {
    name: 'steering',
    stream: 'TIDE_STEERING',
    subject: steerSubject('{run}'),
    summary: 'What a run is told to do; a receiver rejects what is not newer, by epoch and then decision and action.',
    schema: steerBodySchema,
  },
} as const satisfies Readonly<Record<string, EventEntry>>;
