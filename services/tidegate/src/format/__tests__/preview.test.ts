import { describe, expect, test } from '@jest/globals';
import { previewLines } from '../preview.js';

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

describe('previewLines', () => {
  test('shows a small array whole', () => {
    expect(previewLines(bytesOf(Int16Array.of(1, 20, -3, 4)), 'int16', [2, 2])).toEqual(['[ 1  20]', '[-3   4]']);
  });

  test('shows the ends of a large one', () => {
    const cells = Float32Array.from({ length: 80 }, (_, at) => at);
    expect(previewLines(bytesOf(cells), 'float32', [8, 10])).toEqual([
      '[ 0   1   2  …   7   8   9]',
      '[10  11  12  …  17  18  19]',
      '[20  21  22  …  27  28  29]',
      '[…]',
      '[50  51  52  …  57  58  59]',
      '[60  61  62  …  67  68  69]',
      '[70  71  72  …  77  78  79]',
    ]);
  });

  test('shows one dimension as a line, and of more than two the first plane', () => {
    expect(previewLines(Uint8Array.of(7, 8), 'uint8', [2])).toEqual(['[7  8]']);
    expect(previewLines(Uint8Array.of(1, 2, 3, 4), 'uint8', [2, 1, 2])).toEqual(['[0, :, :]', '[1  2]']);
  });

  test('shows complex cells as pairs', () => {
    expect(previewLines(bytesOf(Float64Array.of(1, -2, 0.5, 3)), 'complex128', [2])).toEqual(['[  1-2i  0.5+3i]']);
  });
});
