import { describe, expect, test } from '@jest/globals';
import { triggerDefinitionSchema } from '@tidegate/protocol';
import { triggerNamesOf, triggersOf } from '../definitions.js';
import type { Simulation } from '../simulation.js';

const plane: Simulation = { shape: [8, 9], steps: 60, substeps: 2, writers: 2, seed: 1, window: 3 };
const volume: Simulation = { ...plane, shape: [8, 9, 10] };

describe('triggersOf', () => {
  test.each([plane, volume])('has definitions that are well formed: $shape', (simulation) => {
    const parsed = triggersOf(simulation).map((definition) => triggerDefinitionSchema.parse(definition));
    const { blobs, ...roots } = triggerNamesOf(simulation);
    expect(parsed.map(({ name }) => name)).toEqual(Object.values(roots));
    const [gate, , detector] = parsed;
    const nested = gate?.action[0]?.trigger;
    expect(`${gate?.name}~${nested?.name}`).toBe(blobs);
    // The gate reads no data.
    expect(gate?.check).toEqual({});
    expect(nested?.action[0]?.task?.name).toBe('render');
    expect(detector?.action.map(({ steer }) => steer?.op)).toEqual(['pause', 'rollback']);
  });

  test('those of two simulations do not meet', () => {
    const definitions = [plane, volume].flatMap(triggersOf);
    expect(new Set(definitions.map(({ name }) => name)).size).toBe(definitions.length);
    expect(new Set(definitions.map(({ on }) => `${on.variable} ${on.run}`))).toEqual(
      new Set(['V_2d plane', 'V_3d volume']),
    );
  });
});
