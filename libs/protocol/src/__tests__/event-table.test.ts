import { expect, test } from '@jest/globals';
import { STREAMS } from '../buckets.js';
import { EVENTS } from '../event-table.js';

test('the events are on their streams', () => {
  expect(Object.values(EVENTS).map(({ stream, subject }) => [stream, subject])).toEqual([
    ['TIDE_EVENTS', 'tide.v1.event.storage.{rawService}'],
    ['TIDE_EVENTS', 'tide.v1.event.run.{run}'],
    ['TIDE_EVENTS', 'tide.v1.event.trigger.{run}.{trigger}.{epoch}.{step}'],
    ['TIDE_TASKS', 'tide.v1.task.{task}'],
    ['TIDE_TASKS_DEAD', 'tide.v1.task-dead.{task}'],
    ['TIDE_STEERING', 'tide.v1.steer.{run}'],
  ]);
});

test('each stream takes the subjects of its events', () => {
  for (const { stream, subject } of Object.values(EVENTS)) {
    const filters = Object.values(STREAMS).find(({ name }) => name === stream)?.subjects ?? [];
    const patterns = filters.map((filter) => filter.replaceAll('.', '\\.').replace('*', '[^.]+').replace('>', '.+'));
    expect([subject, patterns.some((pattern) => new RegExp(`^${pattern}$`).test(subject))]).toEqual([subject, true]);
  }
});
