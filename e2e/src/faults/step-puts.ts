import { setTimeout as pause } from 'node:timers/promises';
import { isTidegateError, type Tidegate } from '@tidegate/client';
import type { SeededRandom } from '@tidegate/testing';
import { ulid } from 'ulid';

/** How long a put is repeated that nobody takes. */
const INSIST_MS = 60_000;
const AGAIN_MS = 100;

/** Boxes that tile a square of `length` cells, `side` of them along each dimension. */
export function squares(length: number, side: number): readonly string[] {
  const width = length / side;
  const range = (at: number) => `${at * width}:${(at + 1) * width}`;
  return Array.from({ length: side * side }, (_, at) => `${range(Math.floor(at / side))},${range(at % side)}`);
}

export interface StepPuts {
  readonly variable: string;
  readonly steps: Iterable<number>;
  readonly boxes: readonly string[];
  /** Of each box. */
  readonly bytes: number;
  readonly random: SeededRandom;
  readonly onStep?: (step: number) => void;
}

/** Puts steps one after the other: the partitions of each at a time and in any order, some of them twice. */
export async function putSteps(
  tide: Tidegate,
  { variable, steps, boxes, bytes, random, onStep }: StepPuts,
): Promise<void> {
  for (const step of steps) {
    const again = boxes.filter(() => random.next() < 0.1);
    await Promise.all(
      random.shuffle([...boxes, ...again]).map((box) => insist(tide, { variable, step, box, bytes, id: ulid() })),
    );
    onStep?.(step);
  }
}

/** A put that is repeated under its id for as long as nobody can take it. */
async function insist(
  tide: Tidegate,
  { bytes, ...put }: { variable: string; step: number; box: string; id: string; bytes: number },
): Promise<void> {
  const deadline = Date.now() + INSIST_MS;
  for (;;) {
    try {
      await tide.put({ ...put, data: new Uint8Array(bytes).fill(put.step & 255), timeoutMs: 20_000 });
      return;
    } catch (error) {
      if (!isTidegateError(error) || !error.retryable || Date.now() > deadline) throw error;
      await pause(AGAIN_MS);
    }
  }
}
