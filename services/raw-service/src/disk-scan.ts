import { mkdir, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@tidegate/bus';
import {
  classify,
  dataName,
  isSeriesFolder,
  isStepFolder,
  QUARANTINE_FOLDER,
  sidecarName,
  stepFolder,
} from './disk-layout.js';
import { Gate } from './gate.js';
import type { PartitionFile } from './partition-file.js';
import { RecordFormatError } from './record-json.js';
import { parseSidecar } from './sidecar.js';

const CONCURRENCY = 32;
const LOGGED_NAMES = 20;

interface Findings {
  readonly files: PartitionFile[];
  readonly dropped: string[];
  readonly foreign: string[];
}

/**
 * Finds the partitions in a data directory. What a crash left half written is dropped; a sidecar that cannot be read,
 * or whose data file is not what it says, is moved to the quarantine folder with its data; files that are not the disk
 * tier's are left alone. Every kind is logged.
 */
export async function scanDisk(root: string, logger: Pick<Logger, 'warn' | 'error'>): Promise<PartitionFile[]> {
  const findings: Findings = { files: [], dropped: [], foreign: [] };
  const gate = new Gate(CONCURRENCY);
  for (const variable of await folders(root, isSeriesFolder)) {
    for (const run of await folders(join(root, variable), isSeriesFolder)) {
      const steps = await folders(join(root, variable, run), isStepFolder);
      await Promise.all(steps.map((step) => scanStep(root, [variable, run, step], findings, gate, logger)));
      if (steps.length === 0) await removeIfEmpty(join(root, variable, run));
    }
    await removeIfEmpty(join(root, variable));
  }
  const report = (names: readonly string[]) => ({ files: names.length, examples: names.slice(0, LOGGED_NAMES) });
  if (findings.dropped.length > 0) logger.warn(report(findings.dropped), 'half-written files dropped');
  if (findings.foreign.length > 0) logger.warn(report(findings.foreign), 'unknown files left alone');
  return findings.files;
}

/** Removes a folder unless it holds something; true if it is gone. */
export async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return code === 'ENOENT';
    throw error;
  }
}

async function folders(parent: string, matches: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(parent, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && matches(entry.name)).map(({ name }) => name);
}

async function scanStep(
  root: string,
  place: readonly [string, string, string],
  findings: Findings,
  gate: Gate,
  logger: Pick<Logger, 'error'>,
): Promise<void> {
  const folder = join(root, ...place);
  const names = await gate.run(() => readdir(folder));
  const claimed = new Set<string>();
  const visit = async (name: string) => {
    try {
      const file = await readEntry(folder, name);
      if (join(root, ...stepFolder(file.record)) !== folder || sidecarName(file.record) !== name) {
        throw new RecordFormatError('id, variable, run and step', `those of ${join(folder, name)}`, file.record);
      }
      findings.files.push(file);
      claimed.add(file.payload.file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The disk failed, or there are too many open files: that says nothing about the partition.
      if (code !== undefined && code !== 'ENOENT') throw error;
      const moved = await quarantine(root, place, name, names);
      for (const file of moved) claimed.add(file);
      logger.error({ files: moved, folder, err: error }, 'unreadable partition moved to quarantine');
    }
  };
  const byKind = Map.groupBy(names, classify);
  await Promise.all((byKind.get('sidecar') ?? []).map((name) => gate.run(() => visit(name))));
  for (const name of [...(byKind.get('temporary') ?? []), ...(byKind.get('data') ?? [])]) {
    if (claimed.has(name)) continue;
    await rm(join(folder, name), { force: true });
    findings.dropped.push(join(...place, name));
  }
  for (const name of byKind.get('foreign') ?? []) findings.foreign.push(join(...place, name));
  if (claimed.size === 0 && !byKind.has('foreign')) await removeIfEmpty(folder);
}

async function readEntry(folder: string, name: string): Promise<PartitionFile> {
  const text = await readFile(join(folder, name), 'utf8');
  const { record, payload } = parseSidecar(text);
  if (payload.file !== dataName(record)) throw new RecordFormatError('payload.file', dataName(record), payload.file);
  const { size } = await stat(join(folder, payload.file));
  if (size !== payload.offset + record.bytes) {
    throw new RecordFormatError(`size of ${payload.file}`, `${payload.offset + record.bytes} bytes`, size);
  }
  return { record, payload, fileBytes: size + Buffer.byteLength(text) };
}

/** Moves a sidecar and the data files of the same id out of the way; answers what was moved. */
async function quarantine(root: string, place: readonly string[], sidecar: string, names: readonly string[]) {
  const folder = join(root, QUARANTINE_FOLDER);
  await mkdir(folder, { recursive: true });
  const id = sidecar.slice(0, -'.json'.length);
  const moved = names.filter((name) => name === sidecar || (classify(name) === 'data' && name.startsWith(`${id}.`)));
  for (const name of moved) await rename(join(root, ...place, name), join(folder, [...place, name].join('.')));
  return moved;
}
