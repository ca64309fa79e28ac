import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  DEAD_TASKS_ALL,
  DECISIONS_ALL,
  deadTaskSubject,
  decisionSubject,
  EVENTS_ALL,
  engineSubject,
  OWNERS,
  OWNERS_ASK,
  POINTERS_ALL,
  PUBLIC,
  parseDecisionSubject,
  pointerSubject,
  pointersOf,
  ROOT,
  rawSubject,
  runEventSubject,
  STEERING_ALL,
  STEPS_SEEN_ALL,
  shardSubject,
  steerSubject,
  stepSeenSubject,
  storageEventSubject,
  syncSubject,
  TASKS_ALL,
  taskSubject,
  triggerEventSubject,
  uploadSubject,
} from '../subjects.js';

test('the public subjects of the contract', () => {
  expect(PUBLIC).toEqual({
    declare: 'tide.v1.variable.declare',
    variableGet: 'tide.v1.variable.get',
    variableList: 'tide.v1.variable.list',
    variableDelete: 'tide.v1.variable.delete',
    put: 'tide.v1.put',
    putOpen: 'tide.v1.put.open',
    get: 'tide.v1.get',
    query: 'tide.v1.query',
    steps: 'tide.v1.steps',
    delete: 'tide.v1.delete',
    pin: 'tide.v1.pin',
    unpin: 'tide.v1.unpin',
    rollback: 'tide.v1.run.rollback',
    storage: 'tide.v1.storage',
    triggerRegister: 'tide.v1.trigger.register',
    triggerGet: 'tide.v1.trigger.get',
    triggerList: 'tide.v1.trigger.list',
    triggerDelete: 'tide.v1.trigger.delete',
    triggerEnable: 'tide.v1.trigger.enable',
    triggerDisable: 'tide.v1.trigger.disable',
    triggerTest: 'tide.v1.trigger.test',
    triggerExplain: 'tide.v1.trigger.explain',
    triggerDecisions: 'tide.v1.trigger.decisions',
    kernelPut: 'tide.v1.kernel.put',
    kernelList: 'tide.v1.kernel.list',
  });
});

test('the internal subjects and the events', () => {
  expect({
    root: ROOT,
    shard: shardSubject(3, 'plan'),
    raw: rawSubject('raw-1', 'read'),
    upload: uploadSubject('raw-1', 'U1'),
    owners: OWNERS,
    ask: OWNERS_ASK,
    sync: syncSubject('meta-1'),
    seen: stepSeenSubject('T', 'default'),
    seenAll: STEPS_SEEN_ALL,
    events: EVENTS_ALL,
    storageEvent: storageEventSubject('raw-1'),
    runEvent: runEventSubject('default'),
  }).toEqual({
    root: 'tide.v1',
    shard: 'tide.v1.shard.3.plan',
    raw: 'tide.v1.raw.raw-1.read',
    upload: 'tide.v1.raw.raw-1.upload.U1',
    owners: 'tide.v1.owners.meta',
    ask: 'tide.v1.owners.ask',
    sync: 'tide.v1.member.meta-1.sync',
    seen: 'tide.v1.steps-seen.T.default',
    seenAll: 'tide.v1.steps-seen.*.*',
    events: 'tide.v1.event.>',
    storageEvent: 'tide.v1.event.storage.raw-1',
    runEvent: 'tide.v1.event.run.default',
  });
});

test('the subjects of triggers', () => {
  expect({
    engine: engineSubject(3, 'undecided'),
    pointer: pointerSubject(3, 'hot'),
    pointersOf: pointersOf(3),
    pointers: POINTERS_ALL,
    decisions: DECISIONS_ALL,
    decision: decisionSubject({ root: 'hot', generation: 2, run: 'r', trigger: 'hot~confirm' }),
    decisionsOf: decisionSubject({ root: 'hot', generation: '*', run: '*', trigger: '*' }),
    event: triggerEventSubject({ run: 'r', trigger: 'hot~confirm', epoch: 1, step: 7 }),
    eventsOf: triggerEventSubject({ run: '*', trigger: 'hot', epoch: '*', step: '*' }),
    task: taskSubject('render'),
    tasks: TASKS_ALL,
    deadTask: deadTaskSubject('render'),
    deadTasks: DEAD_TASKS_ALL,
    steer: steerSubject('r'),
    steering: STEERING_ALL,
  }).toEqual({
    engine: 'tide.v1.engine.3.undecided',
    pointer: 'tide.v1.pointer.3.hot',
    pointersOf: 'tide.v1.pointer.3.*',
    pointers: 'tide.v1.pointer.>',
    decisions: 'tide.v1.decision.>',
    decision: 'tide.v1.decision.hot.2.r.hot~confirm',
    decisionsOf: 'tide.v1.decision.hot.*.*.*',
    event: 'tide.v1.event.trigger.r.hot~confirm.1.7',
    eventsOf: 'tide.v1.event.trigger.*.hot.*.*',
    task: 'tide.v1.task.render',
    tasks: 'tide.v1.task.*',
    deadTask: 'tide.v1.task-dead.render',
    deadTasks: 'tide.v1.task-dead.*',
    steer: 'tide.v1.steer.r',
    steering: 'tide.v1.steer.*',
  });
});

test('the subject of a decision tells its log again', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
  const log = fc.record({
    root: name,
    generation: fc.integer({ min: 1 }),
    run: name,
    trigger: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('~')),
  });
  fc.assert(fc.property(log, (key) => expect(parseDecisionSubject(decisionSubject(key))).toEqual(key)));
});
