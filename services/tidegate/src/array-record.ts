import type { NdArray, StoredObject } from '@tidegate/client';
import { formatBox } from '@tidegate/geometry';
import { isComplex, summarize } from './format/array-summary.js';
import { formatBytes } from './format/bytes.js';
import { formatNumber } from './format/number.js';
import { previewLines } from './format/preview.js';
import { fieldLines } from './format/table.js';

/** An array as JSON tells it: all but its cells. */
export function arrayRecord({ variable, run, step, epoch, box, dtype, shape, bytes }: NdArray) {
  return {
    variable,
    run,
    step,
    epoch,
    box: formatBox(box),
    dtype,
    shape,
    bytes: bytes.length,
    ...summarize(bytes, dtype),
  };
}

/** An array as people look at it: what it is, its range, its corner cells. */
export function arrayLines({ variable, run, step, epoch, box, dtype, shape, bytes }: NdArray): readonly string[] {
  const { min, max, mean, nan } = summarize(bytes, dtype);
  const number = (value: number | null): string => (value === null ? 'none' : formatNumber(value));
  const range = isComplex(dtype) ? undefined : `${number(min)} … ${number(max)}`;
  return [
    ...fieldLines({
      variable,
      run,
      step,
      epoch: epoch === 0 ? undefined : epoch,
      box: formatBox(box),
      dtype,
      shape: `(${shape.join(', ')})`,
      bytes: formatBytes(bytes.length),
      range,
      mean: isComplex(dtype) ? undefined : number(mean),
      nan: nan === 0 ? undefined : nan,
    }),
    ...previewLines(bytes, dtype, shape),
  ];
}

/** An opaque object as JSON tells it. */
export function objectRecord({ id, box, bytes }: StoredObject) {
  return { id, box: formatBox(box), bytes: bytes.length };
}
