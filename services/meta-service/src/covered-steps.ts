import { createHash } from 'node:crypto';
import type { RegionCoverage, StepsAsked } from './region-coverage.js';
import { lowerBound, type RunIndex } from './run-index.js';

/** Which steps cover a region. */
export interface CoveredSteps {
  readonly steps: readonly number[];
  readonly more: boolean;
  /** Equal for equal lists, whoever answers, so a follower can go from one owner to the next. */
  readonly version: string;
}

/** Lists the steps above `after` that cover a region, in the asked order. */
export function coveredSteps(run: RunIndex, coverage: RegionCoverage, asked: StepsAsked): CoveredSteps {
  return coverage.sharedList(asked, () => {
    const { staged } = run;
    const first = lowerBound(staged, asked.after + 1);
    const steps: number[] = [];
    let more = false;
    for (let i = 0; i < staged.length - first; i++) {
      const number = staged[asked.order === 'oldest' ? first + i : staged.length - 1 - i] as number;
      const step = run.step(number);
      if (step === undefined || !coverage.covers(step)) continue;
      if (steps.length === asked.limit) {
        more = true;
        break;
      }
      steps.push(number);
    }
    return { steps, more, version: versionOf(steps) };
  });
}

/** The version of a list: short lists stand for themselves. */
export function versionOf(steps: readonly number[]): string {
  const text = steps.join('.');
  return text.length <= 40 ? `=${text}` : createHash('sha256').update(text).digest('base64url').slice(0, 32);
}
