import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StridedCopyRow } from '@tidegate/array/bench';
import type { BoxIndexRow, LocalityRow } from '@tidegate/geometry/bench';
import type { KernelBenchRow } from '@tidegate/kernels/bench';
import type { SpillRow } from '@tidegate/raw-service/bench';
import type { CheckTimeRow } from './check-time.js';
import type { DecisionRateRow } from './decision-rate.js';
import type { EventLatencyRow } from './event-latency.js';
import type { MemoryRow } from './memory.js';
import type { PutCostRow, PutOverheadRow } from './put-cost.js';
import type { SmallPutRow, StagingRow } from './staging.js';

/** The rows of what was measured. */
export interface Figures {
  readonly staging?: readonly StagingRow[];
  readonly smallPut?: readonly SmallPutRow[];
  readonly boxIndex?: readonly BoxIndexRow[];
  readonly locality?: readonly LocalityRow[];
  readonly stridedCopy?: readonly StridedCopyRow[];
  readonly spill?: readonly SpillRow[];
  readonly memory?: readonly MemoryRow[];
  readonly eventLatency?: readonly EventLatencyRow[];
  readonly checkTime?: readonly CheckTimeRow[];
  readonly kernels?: readonly KernelBenchRow[];
  readonly decisionRate?: readonly DecisionRateRow[];
  readonly putOverhead?: readonly PutOverheadRow[];
  readonly putCost?: readonly PutCostRow[];
}

/** Where they were measured. */
export interface Setting {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGiB: number };
  readonly versions: { readonly node: string; readonly nats?: string };
}

export interface Results extends Setting {
  /** Of the newest figures. RFC 3339. */
  readonly date: string;
  readonly figures: Figures;
}

export const RESULTS_FILE = fileURLToPath(new URL('../../bench/results.json', import.meta.url));

/** This machine. */
export function thisSetting(nats: string | undefined): Setting {
  return {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) },
    versions: { node: process.version, ...(nats !== undefined && { nats }) },
  };
}

/** The results of an earlier run; undefined where there are none. */
export function readResults(path = RESULTS_FILE): Results | undefined {
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Partial<Results>;
    return read.figures === undefined ? undefined : (read as Results);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Newer figures over those of an earlier run, which stay where they were measured with the same machine and versions. */
export function mergeResults(earlier: Results | undefined, newer: Results): Results {
  if (earlier === undefined || !sameSetting(earlier, newer)) return newer;
  const versions = { ...earlier.versions, ...newer.versions };
  return { ...newer, versions, figures: { ...earlier.figures, ...newer.figures } };
}

function sameSetting(a: Setting, b: Setting): boolean {
  const nats = a.versions.nats === undefined || b.versions.nats === undefined || a.versions.nats === b.versions.nats;
  return (
    nats &&
    a.versions.node === b.versions.node &&
    a.machine.cpu === b.machine.cpu &&
    a.machine.cores === b.machine.cores &&
    a.machine.memoryGiB === b.machine.memoryGiB
  );
}

export function writeResults(results: Results, path = RESULTS_FILE): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
}
