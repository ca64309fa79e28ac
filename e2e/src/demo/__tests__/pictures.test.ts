import { describe, expect, test } from '@jest/globals';
import { blobPictureName, drawPlane, pictureScale, planeBox } from '../pictures.js';

const plane = { cells: new Float64Array(200 * 100).map((_, cell) => cell), height: 200, width: 100 };

function screen(columns: number, rows: number, colourBits: number): NodeJS.WriteStream {
  return { isTTY: true, columns, rows, getColorDepth: () => colourBits } as unknown as NodeJS.WriteStream;
}

function size(text: string): [number, number] {
  const lines = text.trimEnd().split('\n');
  return [lines.length, Math.max(...lines.map((line) => [...line].filter((sign) => sign === '▀').length))];
}

describe('drawPlane', () => {
  test.each([
    [300, 60, 58, 58],
    [40, 60, 40, 40],
    [300, 10, 24, 24],
    [300, 400, 80, 80],
  ])('on %i columns and %i rows takes %i lines and %i columns', (columns, rows, lines, across) => {
    expect(size(drawPlane(plane, screen(columns, rows, 24)))).toEqual([lines, across]);
  });

  test('has as many colours as the terminal', () => {
    expect(drawPlane(plane, screen(80, 40, 24))).toContain('\u001b[38;2;');
    expect(drawPlane(plane, screen(80, 40, 8))).toContain('\u001b[38;5;');
    expect(drawPlane(plane, screen(80, 40, 1))).not.toContain('\u001b');
    expect(drawPlane(plane, { isTTY: false } as NodeJS.WriteStream)).not.toContain('\u001b');
  });
});

test('of a volume the layer in the middle is drawn, of a plane all', () => {
  expect(planeBox([4, 6])).toEqual({ lower: [0, 0], upper: [4, 6] });
  expect(planeBox([5, 6, 7])).toEqual({ lower: [2, 0, 0], upper: [3, 6, 7] });
});

test('small planes are enlarged', () => {
  expect([pictureScale(384, 100), pictureScale(48, 48), pictureScale(2000, 3)]).toEqual([2, 16, 1]);
});

test('pictures of blobs are named for their step', () => {
  expect([blobPictureName(2, 40), blobPictureName(3, 40)]).toEqual(['blobs-40.png', 'blobs-3d-40.png']);
});
