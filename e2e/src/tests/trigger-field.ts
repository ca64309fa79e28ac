import { type Box, formatBox, makeBox, volume } from '@tidegate/geometry';
import { seededRandom } from '@tidegate/testing';
import { cellsOf } from './cells.js';

/** A field of bytes that any process can make any part of: a function of seed, step and cell alone. */
export interface SteppedField {
  readonly shape: readonly number[];
  /** Row-major, all cells of a step. */
  whole(step: number): Uint8Array;
  /** Row-major, the cells of a box. */
  part(step: number, box: Box): Uint8Array;
}

/**
 * Bytes between 0 and a level that wanders from step to step, so that what a trigger watches goes up and down, stays near
 * its thresholds for a while, and crosses them at steps that nobody can guess.
 */
export function wanderingField(shape: readonly number[], seed: number): SteppedField {
  const cells = shape.reduce((product, size) => product * size, 1);
  const levels: number[] = [];
  const random = seededRandom(seed);
  const levelOf = (step: number): number => {
    while (levels.length <= step) {
      const before = levels.at(-1) ?? 180;
      levels.push(Math.min(255, Math.max(60, before + random.int(-25, 26))));
    }
    return levels[step] ?? 0;
  };
  const { imul } = Math;
  const cellValue = (step: number, cell: number, level: number): number => {
    let mixed = imul(step * cells + cell + seed, 0x9e3779b1);
    mixed = imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
    mixed = imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (((mixed ^ (mixed >>> 16)) >>> 0) % 65_536) % (level + 1);
  };
  return {
    shape,
    whole(step) {
      const level = levelOf(step);
      return Uint8Array.from({ length: cells }, (_, cell) => cellValue(step, cell, level));
    },
    part(step, box) {
      const level = levelOf(step);
      const values = new Uint8Array(volume(box));
      let at = 0;
      for (const cell of cellsOf(shape, box)) values[at++] = cellValue(step, cell, level);
      return values;
    },
  };
}

/** Equal boxes that fill a domain, so many along each dimension, in row-major order. */
export function gridBoxes(shape: readonly number[], counts: readonly number[]): readonly Box[] {
  let corners: number[][] = [[]];
  for (const count of counts) {
    corners = corners.flatMap((corner) => Array.from({ length: count }, (_, at) => [...corner, at]));
  }
  const cut = (axis: number, at: number): number => Math.floor(((shape[axis] ?? 0) * at) / (counts[axis] ?? 1));
  return corners.map((corner) =>
    makeBox(
      corner.map((at, axis) => cut(axis, at)),
      corner.map((at, axis) => cut(axis, at + 1)),
    ),
  );
}

/** One put of a writer. */
export interface PlannedPut {
  readonly step: number;
  readonly box: Box;
  /** Put once more: under the same id, or as another partition with the same data. */
  readonly again?: 'same id' | 'another partition';
}

export interface DealOptions {
  readonly boxes: readonly Box[];
  readonly step: number;
  readonly seed: number;
  readonly writers: number;
}

/** What each writer puts of a step: all boxes in shuffled order, dealt to the writers, about one in eight twice. */
export function dealStep({ boxes, step, seed, writers }: DealOptions): readonly (readonly PlannedPut[])[] {
  const random = seededRandom(seed * 1_000_003 + step);
  const hands: PlannedPut[][] = Array.from({ length: writers }, () => []);
  for (const [at, box] of random.shuffle(boxes).entries()) {
    const chance = random.next();
    const again = chance < 0.07 ? 'same id' : chance < 0.13 ? 'another partition' : undefined;
    hands[at % writers]?.push({ step, box, ...(again && { again }) });
  }
  return hands;
}

/** For messages of failures. */
export function putText({ step, box, again }: PlannedPut): string {
  return `step ${step} ${formatBox(box)}${again === undefined ? '' : ` (twice: ${again})`}`;
}
