import type { TriggerDefinitionInput } from '@tidegate/client';
import { runOf, type Simulation, variablesOf } from './simulation.js';

/** Full names of the triggers on V of a simulation. */
export interface TriggerNames {
  readonly gate: string;
  /** Nested under the gate. */
  readonly blobs: string;
  readonly dense: string;
  readonly silentError: string;
}

/** The kind of tasks that the triggers ask for. */
export const RENDER_TASK = 'render';

/** Steps that the detector has to have seen before it judges one, and that its moving average is made of. */
export const WARM_UP = 5;
/** A cell is part of a blob where V is above this. */
const BLOB = 0.25;

/** The names hold the number of dimensions, as those of the variables do. */
export function triggerNamesOf({ shape }: Simulation): TriggerNames {
  const d = `${shape.length}d`;
  return { gate: `gate-${d}`, blobs: `gate-${d}~blobs`, dense: `dense-${d}`, silentError: `silent-error-${d}` };
}

/**
 * The triggers on V: a gate that looks at the number of the step alone; under it the number of blobs, which has a picture
 * made; the mean, with hysteresis; and a detector of silent errors, which steers the run.
 */
export function triggersOf(simulation: Simulation): readonly TriggerDefinitionInput[] {
  const names = triggerNamesOf(simulation);
  const on = { variable: variablesOf(simulation).v, run: runOf(simulation) };
  const plane = simulation.shape.length === 2;
  const [high, low] = plane ? ['0.12', '0.1'] : ['0.06', '0.05'];
  return [
    {
      name: names.gate,
      on,
      compare: { condition: 'step >= 20 && step % 10 == 0' },
      action: [
        {
          trigger: {
            name: 'blobs',
            check: { blobs: { components: { above: BLOB, connectivity: plane ? 4 : 6 } } },
            compare: { condition: 'blobs >= 3' },
            action: [{ task: { name: RENDER_TASK, args: { above: BLOB } } }],
          },
        },
      ],
    },
    {
      name: names.dense,
      on,
      check: { mean: { reduce: 'mean' } },
      compare: { condition: `mean > ${high}`, recovery: `mean < ${low}`, edge: 'rising' },
      action: [{ emit: { data: { note: 'V fills the domain' } } }],
    },
    {
      name: names.silentError,
      on,
      // A field changes about as much from one step to the next as it did before, unless something broke it; where it hardly
      // changes any more, rounding alone may multiply that.
      check: { d: { reduce: 'linf_diff', against: 'previous' } },
      compare: {
        condition: `size(history.d) > ${WARM_UP} && d > 0.01 && d > 4.0 * movavg(history.d, ${WARM_UP}, 1)`,
        edge: 'rising',
        history: WARM_UP + 1,
      },
      action: [{ steer: { op: 'pause' } }, { steer: { op: 'rollback', args: { steps: 1 } } }],
    },
  ];
}
