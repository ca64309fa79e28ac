import type { PartitionId, PartitionRecord, PersistReply } from '@tidegate/protocol';
import type { DiskTier } from './disk-tier.js';
import type { MemoryTier } from './memory-tier.js';
import type { Moving } from './moving.js';
import type { StepCatalog } from './step-catalog.js';

/**
 * Puts partitions on disk as well: they are durable there once this returns, and stay in memory. Those that are on disk
 * already count as done, so it may be repeated.
 *
 * @throws the first failure of the disk, when the others are written: a StorageFullError, or what the file system said
 */
export async function persist(
  tiers: {
    readonly memory: MemoryTier;
    readonly disk: DiskTier;
    readonly onDisk: StepCatalog;
    readonly moving: Moving;
  },
  ids: readonly PartitionId[],
): Promise<PersistReply> {
  const { memory, disk, onDisk, moving } = tiers;
  for (let move = moving.of(ids); move !== undefined; move = moving.of(ids)) await move;
  const wanted = [...new Set(ids)];
  const unwritten: PartitionRecord[] = [];
  for (const id of wanted) {
    const record = memory.get(id);
    if (record !== undefined && disk.get(id) === undefined) unwritten.push(record);
  }
  const known = new Set(wanted.filter((id) => memory.get(id) !== undefined || disk.get(id) !== undefined));
  if (unwritten.length > 0) {
    const sources = unwritten.map((record) => ({
      record,
      read: (offset: number, target: Uint8Array) => memory.readInto(record.id, offset, target),
    }));
    const written = unwritten.map(({ id }) => id);
    const { failed } = await moving.run(written, async () => {
      await disk.room.refresh();
      const outcome = await disk.writeAll(sources);
      for (const record of outcome.written) onDisk.add(record);
      return outcome;
    });
    const [first] = failed;
    if (first !== undefined) throw first.error;
  }
  return { persisted: wanted.filter((id) => known.has(id)), gone: wanted.filter((id) => !known.has(id)) };
}
