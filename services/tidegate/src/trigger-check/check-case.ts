import { dirname, resolve } from 'node:path';
import { DTYPES, type DType } from '@tidegate/array';
import { isName } from '@tidegate/protocol';
import { located, readDocument, type SourceDocument } from '../definition-file.js';
import { type GivenValue, givenValue, type JsonMap, listOf, mapOf, refuse, stepOf } from './case-value.js';

/** What a step is expected to come to; what is not named may be anything. */
export interface Expectation {
  readonly verdict?: string;
  readonly state?: string;
  readonly late?: boolean;
  readonly indicator?: boolean | null;
  /** The trigger does not decide this step at all. */
  readonly skipped?: true;
}

/** A step with what its checks came to. */
export interface CaseStep {
  /** Key path in the file. */
  readonly path: string;
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly values: ReadonlyMap<string, GivenValue>;
  readonly parts?: readonly {
    readonly box: string;
    readonly bytes: number;
    readonly values: ReadonlyMap<string, GivenValue>;
  }[];
  readonly expect?: Expectation;
}

/** The run is rolled back: steps above `toStep` are superseded. */
export interface CaseRollback {
  readonly path: string;
  readonly toStep: number;
}

/** A definition with a series of values, and what it is expected to make of them. */
export interface CheckCase {
  readonly title: string;
  readonly source: SourceDocument;
  readonly definition: unknown;
  /** Where the definition stands, and the path of its keys there. */
  readonly definitionSource: SourceDocument;
  readonly definitionPath: string;
  readonly variable: { readonly dtype: DType; readonly shape: readonly number[] };
  readonly run: string;
  /** Full name of the trigger meant: one that is nested, or the outermost. */
  readonly of?: string;
  readonly series: readonly (CaseStep | CaseRollback)[];
}

const KEYS = [
  'title',
  'trigger',
  'definition',
  'variable',
  'run',
  'of',
  'series',
  'steps',
  'values',
  'expect',
] as const;
const STEP_KEYS = ['step', 'values', 'expect', 'time', 'parts'] as const;
const VERDICTS: readonly unknown[] = ['fired', 'quiet', 'unknown'];
const STATES: readonly unknown[] = ['inactive', 'pending', 'firing'];
const STEP_MS = 1000;

/**
 * Reads one document of a file of cases.
 *
 * @throws DefinitionError
 */
export async function readCase(source: SourceDocument): Promise<CheckCase> {
  try {
    return await readMap(source);
  } catch (error) {
    throw located(source, error);
  }
}

async function readMap(source: SourceDocument): Promise<CheckCase> {
  const map = mapOf('', source.value, KEYS);
  const { definition, definitionSource, definitionPath } = await definitionOf(source, map);
  const { name, on } = (definition ?? {}) as { readonly name?: unknown; readonly on?: { readonly box?: unknown } };
  const run = map['run'] ?? 'default';
  if (!isName(run)) throw refuse('run', 'the name of a run', run);
  const { of } = map;
  if (of !== undefined && typeof of !== 'string') throw refuse('of', 'the full name of a trigger', of);
  return {
    title: typeof map['title'] === 'string' ? map['title'] : String(of ?? name ?? 'case'),
    ...{ source, definition, definitionSource, definitionPath, run },
    ...(of !== undefined && { of }),
    variable: variableOf(map['variable'], on?.box),
    series: map['series'] === undefined ? columns(map) : rows(map),
  };
}

async function definitionOf(source: SourceDocument, { trigger, definition }: JsonMap) {
  if ((trigger === undefined) === (definition === undefined)) {
    throw refuse('trigger', 'either "trigger" with a definition or "definition" with the path of a file', trigger);
  }
  if (trigger !== undefined) return { definition: trigger, definitionSource: source, definitionPath: 'trigger.' };
  if (typeof definition !== 'string') throw refuse('definition', 'the path of a file', definition);
  const definitionSource = await readDocument(resolve(dirname(source.file), definition));
  return { definition: definitionSource.value, definitionSource, definitionPath: '' };
}

/** The variable that the definition is checked against: by default of float64, and as large as the box. */
function variableOf(given: unknown, box: unknown): CheckCase['variable'] {
  const { dtype = 'float64', shape = shapeOfBox(box) } = mapOf('variable', given ?? {}, ['dtype', 'shape']);
  if (!DTYPES.includes(dtype as DType)) throw refuse('variable.dtype', `one of ${DTYPES.join(', ')}`, dtype);
  const extents = listOf('variable.shape', shape);
  if (!extents.every((extent) => Number.isSafeInteger(extent) && (extent as number) > 0) || extents.length === 0) {
    throw refuse('variable.shape', 'extents such as [512, 512]', shape);
  }
  return { dtype: dtype as DType, shape: extents as readonly number[] };
}

function shapeOfBox(box: unknown): readonly number[] {
  const uppers = typeof box === 'string' ? box.split(',').map((range) => Number(range.split(':')[1])) : [];
  return uppers.length > 0 && uppers.every(Number.isSafeInteger) ? uppers : [1];
}

function rows(map: JsonMap): CheckCase['series'] {
  for (const key of ['steps', 'values', 'expect']) {
    if (map[key] !== undefined) throw refuse(key, 'either "series" or columns of "values" and "expect"', map[key]);
  }
  return listOf('series', map['series']).map((given, at) => {
    const path = `series.${at}`;
    const row = mapOf(path, given);
    if (row['rollback'] !== undefined) {
      mapOf(path, given, ['rollback']);
      return { path, toStep: stepOf(`${path}.rollback`, row['rollback']) };
    }
    mapOf(path, given, STEP_KEYS);
    const step = stepOf(`${path}.step`, row['step']);
    return {
      path,
      step,
      time: timeOf(`${path}.time`, row['time'], step),
      values: valuesOf(`${path}.values`, row['values'] ?? {}),
      ...(row['parts'] !== undefined && { parts: partsOf(`${path}.parts`, row['parts']) }),
      ...expectationOf(`${path}.expect`, row['expect']),
    };
  });
}

/** The short form: a column of values for each check, and one of what is expected. */
function columns(map: JsonMap): CheckCase['series'] {
  const values = Object.entries(mapOf('values', map['values'] ?? {})).map(
    ([name, column]) => [name, listOf(`values.${name}`, column)] as const,
  );
  const expect = map['expect'] === undefined ? [] : listOf('expect', map['expect']);
  const length = values[0]?.[1].length ?? expect.length;
  if (length === 0) throw refuse('series', 'a list of steps, or columns of "values" and "expect"', map['series']);
  const steps = map['steps'] === undefined ? Array.from({ length }, (_, at) => at) : listOf('steps', map['steps']);
  const all: readonly (readonly [string, readonly unknown[]])[] = [
    ...values.map(([name, column]) => [`values.${name}`, column] as const),
    ['steps', steps],
    ...(expect.length > 0 ? ([['expect', expect]] as const) : []),
  ];
  for (const [path, column] of all) {
    if (column.length !== length) throw refuse(path, `${length} entries as the others have`, column.length);
  }
  return steps.map((given, at) => {
    const step = stepOf(`steps.${at}`, given);
    return {
      path: map['steps'] === undefined ? `values.${values[0]?.[0]}.${at}` : `steps.${at}`,
      step,
      time: step * STEP_MS,
      values: new Map(values.map(([name, column]) => [name, givenValue(column[at])])),
      ...expectationOf(`expect.${at}`, expect[at]),
    };
  });
}

function valuesOf(path: string, given: unknown): ReadonlyMap<string, GivenValue> {
  return new Map(Object.entries(mapOf(path, given)).map(([name, value]) => [name, givenValue(value)]));
}

function partsOf(path: string, given: unknown): NonNullable<CaseStep['parts']> {
  return listOf(path, given).map((part, at) => {
    const { box, bytes = 0, values = {} } = mapOf(`${path}.${at}`, part, ['box', 'bytes', 'values']);
    if (typeof box !== 'string') throw refuse(`${path}.${at}.box`, 'a box such as 0:64,0:64', box);
    return { box, bytes: stepOf(`${path}.${at}.bytes`, bytes), values: valuesOf(`${path}.${at}.values`, values) };
  });
}

function timeOf(path: string, given: unknown, step: number): number {
  if (given === undefined) return step * STEP_MS;
  const time = typeof given === 'string' ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(time)) throw refuse(path, 'a time such as 2026-01-31T12:00:00Z', given);
  return time;
}

/** A verdict or a state by its name alone, or a map of what is expected. */
function expectationOf(path: string, given: unknown): { readonly expect?: Expectation } {
  if (given === undefined || given === null) return {};
  if (given === 'skipped') return { expect: { skipped: true } };
  if (VERDICTS.includes(given)) return { expect: { verdict: given as string } };
  if (STATES.includes(given)) return { expect: { state: given as string } };
  if (typeof given === 'string') {
    throw refuse(path, `one of ${[...VERDICTS, ...STATES, 'skipped'].join(', ')}, or a map`, given);
  }
  const map = mapOf(path, given, ['verdict', 'state', 'late', 'indicator']);
  const { verdict, state, late, indicator } = map;
  if (verdict !== undefined && !VERDICTS.includes(verdict))
    throw refuse(`${path}.verdict`, VERDICTS.join(', '), verdict);
  if (state !== undefined && !STATES.includes(state)) throw refuse(`${path}.state`, STATES.join(', '), state);
  if (late !== undefined && typeof late !== 'boolean') throw refuse(`${path}.late`, 'true or false', late);
  if (indicator !== undefined && indicator !== null && typeof indicator !== 'boolean') {
    throw refuse(`${path}.indicator`, 'true, false or null', indicator);
  }
  return { expect: map as Expectation };
}
