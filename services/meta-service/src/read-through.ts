import { itemSize } from '@tidegate/array';
import { formatBox, volume, within } from '@tidegate/geometry';
import type { ShardContext } from './shard-context.js';
import type { readPlan } from './shard-request.js';

/**
 * Passes a small get on to the raw-service that has all of it, whose answer goes straight to who asked: one message less
 * than a plan and a read. Only where the shards' whole part is known here and one partition holds every cell.
 *
 * @param reply where the asker waits
 * @returns false where it has to be planned
 */
export function readThrough(
  context: ShardContext,
  shards: readonly number[],
  asked: ReturnType<typeof readPlan> & { readonly maxBytes: number },
  reply: string,
): boolean {
  const { owner, index } = context;
  const { ready } = owner.standing(shards);
  if (reply === '' || ready.length < shards.length || owner.absent(ready).length > 0) return false;
  const variable = index.get(asked.variable);
  if (variable === undefined || variable.deleted) return false;
  const { dtype, shape } = variable.record;
  if (dtype === 'bytes' || !within(asked.box, shape) || volume(asked.box) * itemSize(dtype) > asked.maxBytes)
    return false;
  const region = variable.region(asked.box, ready);
  // Of several boxes where the asker left a touched shard out.
  if (region.boxes.length !== 1) return false;
  const tiling = variable.run(asked.run)?.step(asked.step)?.tile(region);
  const [piece] = tiling?.pieces ?? [];
  if (!piece || tiling?.pieces.length !== 1 || tiling.missing.length > 0) return false;
  const { id, raw } = piece.partition;
  if (!context.isLive(raw)) return false;
  context.forwardRead(raw, { id, box: formatBox(piece.box), epoch: context.rollback(asked.run)?.epoch ?? 0 }, reply);
  return true;
}
