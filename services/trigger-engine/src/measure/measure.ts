import { boxBytes } from '@tidegate/client/region';
import { parseBox } from '@tidegate/geometry';
import type { CheckDefinition } from '@tidegate/protocol';
import type { CheckValue, Part, Unknown } from '../semantics/index.js';
import { runCallChecks } from './call-checks.js';
import type { MeasureContext } from './context.js';
import { type KernelResult, runKernelChecks } from './kernel-checks.js';
import type { StepAddress, StepPlan } from './plan-step.js';

export interface MeasureOptions {
  readonly at: StepAddress;
  readonly plan: StepPlan;
  readonly checks: Readonly<Record<string, CheckDefinition>>;
  /** Whether an expression reads the pieces. */
  readonly readsParts: boolean;
  /** What `against: previous` means: the newest decided step below this one. */
  readonly previousStep: number | undefined;
  readonly signal: AbortSignal;
}

/** What the checks of a step came to. */
export interface Measured {
  readonly values: ReadonlyMap<string, CheckValue>;
  /** Why a check has no value. */
  readonly failures: ReadonlyMap<string, string>;
  /** In box order; known where kernels ran, and where they are read. */
  readonly parts: readonly Part[] | Unknown;
}

/**
 * Computes the checks of a step: kernels near the data, `call`s at their responders, at the same time. Without checks
 * nobody is asked anything. What is wrong with the data, or with a responder, is a failure of the check.
 *
 * @throws UnavailableError or TimeoutError where the owner of a shard does not answer or the connection is lost: try
 *   again; the signal's reason
 */
export async function measure(context: MeasureContext, options: MeasureOptions): Promise<Measured> {
  const { checks, at, plan, readsParts, signal } = options;
  const named = Object.entries(checks);
  const calls = Object.fromEntries(named.filter(([, { call }]) => call !== undefined));
  const kernels = Object.fromEntries(named.filter(([, { call }]) => call === undefined));
  if (named.length === 0) return withoutKernels(options);
  const ended = new AbortController();
  const task = { at, plan, signal: AbortSignal.any([signal, ended.signal]) };
  try {
    const [near, called] = await Promise.all([
      Object.keys(kernels).length === 0
        ? withoutKernels({ at, plan, readsParts })
        : runKernelChecks(context, { ...task, checks: kernels, previousStep: options.previousStep }),
      runCallChecks(context.bus, { ...task, checks: calls }),
    ]);
    return {
      values: new Map([...near.values, ...called.values]),
      failures: new Map([...near.failures, ...called.failures]),
      parts: near.parts,
    };
  } finally {
    ended.abort();
  }
}

/** What is known without looking at the data: the pieces, where they are read. */
function withoutKernels({ at, plan, readsParts }: Pick<MeasureOptions, 'at' | 'plan' | 'readsParts'>): KernelResult {
  const opaque = at.variable.record.dtype === 'bytes';
  if (!readsParts) return { values: new Map(), failures: new Map(), parts: { unknown: 'no expression reads them' } };
  const parts = plan.pieces.map(({ box, bytes }) => ({
    box,
    bytes: opaque ? bytes : boxBytes(at.variable, parseBox(box)),
    values: new Map(),
  }));
  return {
    values: new Map(),
    failures: new Map(),
    parts,
  };
}
