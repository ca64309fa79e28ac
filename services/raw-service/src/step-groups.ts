import type { VariableHandle } from '@tidegate/client/region';
import type { PartitionRecord } from '@tidegate/protocol';
import type { Catalog } from './catalog.js';

/** Partitions of one step of one run. */
export interface StepGroup {
  readonly handle: VariableHandle;
  readonly records: readonly PartitionRecord[];
}

/** Partitions by step, without those of variables that are not declared (any more): no shard knows of them. */
export function groupBySteps(
  catalog: Pick<Catalog, 'known'>,
  records: Iterable<PartitionRecord>,
): readonly StepGroup[] {
  const groups = new Map<string, PartitionRecord[]>();
  for (const record of records) {
    const key = `${record.variable} ${record.run} ${record.step}`;
    const group = groups.get(key);
    if (group) group.push(record);
    else groups.set(key, [record]);
  }
  return [...groups.values()].flatMap((group) => {
    const handle = catalog.known(group[0]?.variable ?? '');
    return handle ? [{ handle, records: group }] : [];
  });
}
