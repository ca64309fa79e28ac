import type { RunIndex } from './run-index.js';
import type { VariableIndex } from './variable-index.js';

/** Names of the runs of which something is staged at the shards, in order. */
export function stagedRuns(variable: VariableIndex, shards: readonly number[]): string[] {
  const runs: string[] = [];
  for (const run of variable.runs()) if (isStaged(run, shards)) runs.push(run.run);
  return runs.sort();
}

function isStaged(run: RunIndex, shards: readonly number[]): boolean {
  for (const step of run.steps()) {
    for (const held of step.values()) if (held.shards.some((shard) => shards.includes(shard))) return true;
  }
  return false;
}
