import { coalesce, formatBox } from '@tidegate/geometry';
import { type Epoch, MISSING_LIMIT, type Piece, type PlanReply } from '@tidegate/protocol';
import { joinParts } from './pieces.js';
import type { Region } from './region.js';
import type { Held, StepIndex } from './step-index.js';

/** Most pieces of one plan. */
export const PIECES_LIMIT = 4000;

/** How to plan. */
export interface PlanOptions {
  readonly epoch: number;
  readonly piecesLimit: number;
  /** Objects are placed by box but never sliced. */
  readonly opaque: boolean;
}

/** Plans one region of one step from what is indexed. */
export function planStep(step: StepIndex | undefined, region: Region, options: PlanOptions): PlanReply {
  const epoch = options.epoch as Epoch;
  if (step === undefined || step.size === 0) {
    const missing = coalesce(region.boxes);
    return { covered: missing.length === 0, epoch, pieces: [], ...missingOf(missing) };
  }
  // Every partition near a region is in its tiling while no two overlap: no need to make what is not sent.
  const tooMany = step.size > options.piecesLimit && step.disjoint && step.countNear(region) > options.piecesLimit;
  if (tooMany && step.uncoveredCells(region) === 0) {
    return { covered: true, epoch, pieces: [], missing: [], missingCount: 0, split: true };
  }
  const tiling = step.tile(region);
  const missing = coalesce(tiling.missing);
  const covered = missing.length === 0;
  const pieces = options.opaque ? objects(tiling.pieces) : arrayPieces(tiling.pieces, region);
  if (pieces.length > options.piecesLimit) return { covered, epoch, pieces: [], ...missingOf(missing), split: true };
  return { covered, epoch, pieces, ...missingOf(missing) };
}

function missingOf(boxes: Region['boxes']): Pick<PlanReply, 'missing' | 'missingCount'> {
  return { missing: boxes.slice(0, MISSING_LIMIT).map(formatBox), missingCount: boxes.length };
}

type Tiled = ReturnType<StepIndex['tile']>['pieces'];

function arrayPieces(tiled: Tiled, region: Region): Piece[] {
  if (region.boxes.length === 1) return tiled.map(({ box, partition }) => piece(partition, formatBox(box)));
  const parts = tiled.map(({ box, partition }) => ({ id: partition.id, box, partition }));
  return joinParts(parts).map(({ box, partition }) => piece(partition, formatBox(box)));
}

function objects(tiled: Tiled): Piece[] {
  const whole = new Set(tiled.map((tile) => tile.partition));
  return [...whole].map((held) => piece(held, formatBox(held.box)));
}

function piece({ id, raw, tier, bytes }: Held, box: string): Piece {
  return { id, box, raw, tier, bytes };
}
