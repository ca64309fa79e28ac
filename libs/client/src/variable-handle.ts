import { itemSize } from '@tidegate/array';
import {
  type Box,
  boxOfShape,
  createShardMap,
  formatBox,
  parseBox,
  type ShardMap,
  volume,
  within,
} from '@tidegate/geometry';
import { BadRequestError, OutOfDomainError, type VariableRecord } from '@tidegate/protocol';

/** A variable's record with what is computed from it once. */
export interface VariableHandle {
  readonly record: VariableRecord;
  readonly map: ShardMap;
  readonly domain: Box;
  readonly itemSize: number;
}

const handles = new WeakMap<VariableRecord, VariableHandle>();

/** The handle of a record, made once. The shard map is a pure function of it, so everyone computes the same. */
export function variableHandle(record: VariableRecord): VariableHandle {
  const known = handles.get(record);
  if (known) return known;
  const { shape, shards, layout } = record;
  const handle = {
    record,
    map: createShardMap({ shape, shards, ...(layout && { layout }) }),
    domain: boxOfShape(shape),
    itemSize: itemSize(record.dtype),
  };
  handles.set(record, handle);
  return handle;
}

/**
 * The box that a caller means, the whole domain when it names none.
 *
 * @throws BadRequestError for a wrong number of dimensions, OutOfDomainError for a box that reaches out
 */
export function boxWithin(handle: VariableHandle, box: Box | string | undefined, field = 'box'): Box {
  if (box === undefined) return handle.domain;
  const parsed = typeof box === 'string' ? parseBox(box) : box;
  const { name, shape } = handle.record;
  if (parsed.lower.length !== shape.length) {
    throw new BadRequestError(
      field,
      `expected a box of ${shape.length} dimensions as variable "${name}" has, got ${formatBox(parsed)} of ${parsed.lower.length}`,
    );
  }
  if (!within(parsed, shape)) {
    throw new OutOfDomainError(
      `expected a box inside 0:${shape.join(',0:')} of variable "${name}", got ${formatBox(parsed)}`,
      shape,
    );
  }
  return parsed;
}

/** Bytes of a box of a variable; of no meaning for an opaque one. */
export function boxBytes(handle: VariableHandle, box: Box): number {
  return volume(box) * handle.itemSize;
}
