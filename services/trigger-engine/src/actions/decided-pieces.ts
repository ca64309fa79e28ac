import type { VariableHandle } from '@tidegate/client/region';
import { parseBox } from '@tidegate/geometry';
import { NotFoundError, type PartitionId, type Piece, UnknownVariableError } from '@tidegate/protocol';
import type { LoggedDecision } from '../decision-log/logged-decision.js';
import { type PartitionAddress, planStep } from '../measure/index.js';
import type { ActionContext } from './context.js';

/** Where the data of a decision lies now. */
export interface DecidedPieces {
  readonly variable: VariableHandle;
  readonly pieces: readonly Piece[];
}

/**
 * Plans the box of a decision anew; of a partition that was decided alone, asks for that one.
 *
 * @throws UnknownVariableError; NotFoundError where a part of the data is gone; UnavailableError
 */
export async function decidedPieces(
  context: ActionContext,
  decision: LoggedDecision,
  signal: AbortSignal,
): Promise<DecidedPieces> {
  const variable = await context.variable(decision.variable);
  if (variable === undefined) throw new UnknownVariableError(decision.variable);
  const { box, run, step, trigger } = decision;
  const partition = partitionOf(decision);
  const at = { variable, box: parseBox(box), run, step, trigger, ...(partition && { partition }) };
  const planned = await planStep(context, at, signal);
  if (!planned.covered) throw new NotFoundError(`the data of step ${step} in ${box} is not there any more`);
  return { variable, pieces: planned.plan.pieces };
}

function partitionOf({ partition, source }: LoggedDecision): PartitionAddress | undefined {
  if (partition === undefined || source === undefined) return undefined;
  return { ...source, id: partition as PartitionId, box: parseBox(source.box) };
}
