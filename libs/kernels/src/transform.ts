import type { DType } from '@tidegate/array';
import type { Box } from '@tidegate/geometry';
import type { TransformDefinition } from '@tidegate/protocol';

/** An array's element type and extents. */
export interface ArrayShape {
  readonly dtype: DType;
  readonly shape: number[];
}

/**
 * What a transform makes of a domain: `downsample` n keeps the cells whose indices are multiples of n, `slice` drops a
 * dimension, `threshold` has a bool for each cell, a user's kernel a float64 for each cell.
 */
export function transformedShape(transform: TransformDefinition, dtype: DType, shape: readonly number[]): ArrayShape {
  const { downsample, slice } = transform;
  if (downsample !== undefined) return { dtype, shape: shape.map((extent) => Math.ceil(extent / downsample)) };
  if (slice !== undefined) return { dtype, shape: shape.filter((_, d) => d !== slice.axis) };
  return { dtype: transform.threshold === undefined ? 'float64' : 'bool', shape: shape.slice() };
}

/**
 * Where the cells of `box` are in the transformed domain. Indices count from the domain's origin, so the pieces of a
 * box become pieces of the transformed one. Undefined where nothing of it is left.
 */
export function transformedBox({ downsample, slice }: TransformDefinition, box: Box): Box | undefined {
  if (downsample !== undefined) {
    const lower = box.lower.map((x) => Math.ceil(x / downsample));
    const upper = box.upper.map((x) => Math.ceil(x / downsample));
    return lower.every((x, d) => x < (upper[d] ?? 0)) ? { lower, upper } : undefined;
  }
  if (slice !== undefined) {
    const { axis, index } = slice;
    if (index < (box.lower[axis] ?? 0) || index >= (box.upper[axis] ?? 0)) return undefined;
    return { lower: box.lower.filter((_, d) => d !== axis), upper: box.upper.filter((_, d) => d !== axis) };
  }
  return { lower: box.lower.slice(), upper: box.upper.slice() };
}
