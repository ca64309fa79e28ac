import { describe, expect, test } from '@jest/globals';
import type { Simulation } from '../simulation.js';
import { onlyTheErrorWasCaught, type TriggerOutcome, triggerLines } from '../trigger-report.js';

const simulation: Simulation = { shape: [384, 384], steps: 60, substeps: 25, writers: 4, seed: 1, window: 6 };
const injected = { index: 7, bit: 53, before: 0.3, after: 1.2, cell: [201, 7], step: 37, writer: 2 };
const caught = { step: 37, toStep: 36, epoch: 1, value: 0.8772 };
const triggers: TriggerOutcome = {
  tallies: [
    { name: 'gate-2d', decided: 63, fired: 5, firstFired: 20 },
    { name: 'gate-2d~blobs', decided: 5, fired: 2, firstFired: 20 },
    { name: 'dense-2d', decided: 63, fired: 0, firstFired: undefined },
    { name: 'silent-error-2d', decided: 63, fired: 1, firstFired: 37 },
  ],
  pictured: [20, 60],
  injected,
  caught: [caught],
};

describe('triggerLines', () => {
  test('tells what each trigger did, and what came of the error', () => {
    expect(triggerLines([{ simulation, triggers }], 'out')).toEqual([
      'trigger          decided  fired  first at step  what it did',
      'gate-2d               63      5             20  had the blobs counted',
      'gate-2d~blobs          5      2             20  2 pictures, out/blobs-20.png … blobs-60.png',
      'dense-2d              63      0              -  nothing',
      'silent-error-2d       63      1             37  paused the run, rolled it back',
      '2-D 384x384: writer 2 got bit 53 of V(201, 7) wrong at step 37: 0.300 became 1.200',
      '2-D 384x384: caught at step 37, where V changed by 0.877; steps above 36 are of epoch 1',
    ]);
  });

  test('says no word about an error where there is none', () => {
    const quiet = { ...triggers, caught: [] };
    const { injected: _, ...outcome } = quiet;
    expect(triggerLines([{ simulation, triggers: outcome }], 'out')).toHaveLength(5);
  });
});

test('the error is to be caught once, at its step, and nothing else', () => {
  const { injected: _, ...without } = triggers;
  expect(onlyTheErrorWasCaught(triggers)).toBe(true);
  expect(onlyTheErrorWasCaught({ ...without, caught: [] })).toBe(true);
  expect(onlyTheErrorWasCaught(without)).toBe(false);
  expect(onlyTheErrorWasCaught({ ...triggers, caught: [] })).toBe(false);
  expect(onlyTheErrorWasCaught({ ...triggers, caught: [{ ...caught, step: 38 }] })).toBe(false);
  expect(onlyTheErrorWasCaught({ ...triggers, caught: [caught, caught] })).toBe(false);
});
