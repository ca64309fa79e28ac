import type { ShardRouter } from '@tidegate/bus';
import { formatBox } from '@tidegate/geometry';
import { BadRequestError, NotCoveredError, TimeoutError } from '@tidegate/protocol';
import { type CoveredSearch, findCovered, type SearchOptions, type StepSearch } from './covered-steps.js';

const NEXT = /^next:(0|[1-9][0-9]{0,15})$/;

/** What `latest` and `next:<n>` look for. @throws BadRequestError */
export function stepSearch(wanted: string): StepSearch {
  if (wanted === 'latest') return { newestAbove: -1 };
  const next = NEXT.exec(wanted);
  const after = Number(next?.[1]);
  if (!next || !Number.isSafeInteger(after)) {
    throw new BadRequestError(
      'step',
      `expected a step 0 … 2^53-1, "latest" or "next:<n>", got ${JSON.stringify(wanted)}`,
    );
  }
  return { firstAbove: after };
}

/**
 * The covered step that `latest` or `next:<n>` names.
 *
 * @param waited whether the caller wanted to wait for one
 * @throws NotCoveredError without a wait, TimeoutError after one, both with the box as missing; UnavailableError
 */
export async function namedStep(
  router: ShardRouter,
  what: CoveredSearch & { readonly wanted: string },
  options: SearchOptions & { readonly waited: boolean },
): Promise<number> {
  const step = await findCovered(router, what, options);
  if (step !== undefined) return step;
  const { variable, run, box, wanted } = what;
  const message = `expected a covered step (${wanted}) of variable "${variable.record.name}", run "${run}", got none`;
  const missing = { missing: [formatBox(box)], missingCount: 1 };
  throw options.waited
    ? new TimeoutError(`the wait ended: ${message}`, missing)
    : new NotCoveredError(message, missing);
}
