import { isOpaque } from '@tidegate/array';
import { isName, isUlid, type PartitionRecord } from '@tidegate/protocol';

/** Takes what the scan at the start could not read. A name cannot begin with a dot, so it is no variable's folder. */
export const QUARANTINE_FOLDER = '.quarantine';
const TEMPORARY = '.tmp';
const STEP = /^(0|[1-9][0-9]{0,15})$/;

type Place = Pick<PartitionRecord, 'variable' | 'run' | 'step'>;

/** Folder of a step below the data directory, by its parts. */
export function stepFolder({ variable, run, step }: Place): readonly [string, string, string] {
  return [variable, run, String(step)];
}

/** Name of the data file: `.npy` for arrays, `.bin` for opaque objects. */
export function dataName({ id, dtype }: Pick<PartitionRecord, 'id' | 'dtype'>): string {
  return `${id}${isOpaque(dtype) ? '.bin' : '.npy'}`;
}

export function sidecarName({ id }: Pick<PartitionRecord, 'id'>): string {
  return `${id}.json`;
}

/** The name of a file until it is whole. */
export function temporaryName(name: string): string {
  return name + TEMPORARY;
}

/** Whether a folder's name can be that of a variable or run, or of a step. */
export function isSeriesFolder(name: string): boolean {
  return isName(name);
}

export function isStepFolder(name: string): boolean {
  return STEP.test(name) && Number.isSafeInteger(Number(name));
}

/** What a file in a step's folder is, by its name. */
export function classify(name: string): 'temporary' | 'data' | 'sidecar' | 'foreign' {
  if (name.endsWith(TEMPORARY) && classify(name.slice(0, -TEMPORARY.length)) !== 'foreign') return 'temporary';
  const [id, suffix, ...rest] = name.split('.');
  if (!isUlid(id) || rest.length > 0) return 'foreign';
  if (suffix === 'json') return 'sidecar';
  return suffix === 'npy' || suffix === 'bin' ? 'data' : 'foreign';
}
