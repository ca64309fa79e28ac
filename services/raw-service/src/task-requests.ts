import { type Box, isGeometryError, parseBox } from '@tidegate/geometry';
import { parseRoundSpec, type RoundSpec } from '@tidegate/kernels';
import {
  BadRequestError,
  type CheckRequest,
  type DeriveRequest,
  isName,
  isStep,
  type PartitionId,
  type PieceAddress,
  parseRequest,
  type RawId,
  type TransformDefinition,
  transformSchema,
} from '@tidegate/protocol';

/** Most pieces of a request, and most pieces of the previous step that one of them is compared with. */
const MAX_PIECES = 1024;
const MAX_PREVIOUS = 4096;
const MAX_DEADLINE_MS = 600_000;

/** A piece's address with its box read. */
export interface PiecePlace {
  readonly id: PartitionId;
  readonly box: Box;
  readonly raw: RawId;
}

export interface CheckPiecePlace extends PiecePlace {
  readonly previous?: readonly PiecePlace[];
}

/** A `CheckRequest` that was checked. */
export interface CheckWork {
  readonly variable: string;
  readonly round: RoundSpec;
  readonly pieces: readonly CheckPiecePlace[];
  readonly deadlineMs: number;
}

/** A `DeriveRequest` that was checked. */
export interface DeriveWork extends Omit<DeriveRequest, 'pieces' | 'transform'> {
  readonly transform: TransformDefinition;
  readonly pieces: readonly (PiecePlace & { readonly derivedId: PartitionId })[];
}

type Unchecked<T> = { readonly [K in keyof T]?: unknown };

/** @throws BadRequestError */
export function parseCheckRequest(map: Unchecked<CheckRequest>): CheckWork {
  return {
    variable: nameIn('variable', map.variable),
    round: parseRoundSpec(map.round),
    pieces: listIn<CheckPiecePlace>('pieces', map.pieces, MAX_PIECES, (piece, field) => ({
      ...placeIn(field, piece),
      ...(piece['previous'] !== undefined && {
        previous: listIn(`${field}.previous`, piece['previous'], MAX_PREVIOUS, (one, at) => placeIn(at, one)),
      }),
    })),
    deadlineMs: deadlineIn(map.deadlineMs),
  };
}

/** @throws BadRequestError */
export function parseDeriveRequest(map: Unchecked<DeriveRequest>): DeriveWork {
  const { step } = map;
  if (!isStep(step)) throw new BadRequestError('step', `expected a step, got ${shown(step)}`);
  return {
    transform: parseRequest(transformSchema, map.transform),
    variable: nameIn('variable', map.variable),
    run: nameIn('run', map.run),
    step,
    to: nameIn('to', map.to),
    pieces: listIn('pieces', map.pieces, MAX_PIECES, (piece, field) => ({
      ...placeIn(field, piece),
      derivedId: textIn(`${field}.derivedId`, piece['derivedId']) as PartitionId,
    })),
    activity: textIn('activity', map.activity),
    deadlineMs: deadlineIn(map.deadlineMs),
  };
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}

function textIn(field: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.length > 512) {
    throw new BadRequestError(field, `expected ${field} to be a text of 1 to 512 characters, got ${shown(value)}`);
  }
  return value;
}

function nameIn(field: string, value: unknown): string {
  if (typeof value !== 'string' || !isName(value))
    throw new BadRequestError(field, `expected ${field} to be a name, got ${shown(value)}`);
  return value;
}

function deadlineIn(value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= MAX_DEADLINE_MS) return value;
  const expected = `milliseconds up to ${MAX_DEADLINE_MS}`;
  throw new BadRequestError('deadlineMs', `expected deadlineMs to be ${expected}, got ${shown(value)}`);
}

function listIn<T>(
  field: string,
  value: unknown,
  most: number,
  read: (one: Readonly<Record<string, unknown>>, field: string) => T,
): readonly T[] {
  if (!Array.isArray(value) || value.length > most)
    throw new BadRequestError(field, `expected ${field} to be a list of at most ${most}, got ${shown(value)}`);
  return value.map((one: unknown, at) => {
    const name = `${field}.${at}`;
    if (typeof one !== 'object' || one === null) throw new BadRequestError(name, `expected ${name} to be a map`);
    return read(one as Readonly<Record<string, unknown>>, name);
  });
}

function placeIn(field: string, { id, box, raw }: Unchecked<PieceAddress>): PiecePlace {
  return {
    id: textIn(`${field}.id`, id) as PartitionId,
    box: boxIn(`${field}.box`, box),
    raw: nameIn(`${field}.raw`, raw) as RawId,
  };
}

function boxIn(field: string, value: unknown): Box {
  try {
    return parseBox(textIn(field, value));
  } catch (error) {
    if (isGeometryError(error)) throw new BadRequestError(field, `${field}: ${error.message}`, { cause: error });
    throw error;
  }
}
