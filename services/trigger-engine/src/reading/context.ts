import type { TriggerRecord } from '@tidegate/protocol';
import type { MeasureContext } from '../measure/index.js';
import type { Derivation } from '../semantics/index.js';
import type { KernelStore } from './kernel-store.js';

/** What questions about triggers are answered from. */
export interface ReadingContext extends MeasureContext {
  /** A trigger as it stands, also a deleted one; undefined where none ever had the name. */
  trigger(name: string): Promise<TriggerRecord | undefined>;
  /** Those of all standing triggers but the named one. */
  derivations(except: string): readonly Derivation[];
  /** The epoch that a step of a run is in by the rollbacks that stand. */
  epochOf(step: { readonly variable: string; readonly run: string; readonly step: number }): number;
  readonly kernels: KernelStore;
  /** Aborts when this process stops. */
  readonly signal: AbortSignal;
}
