import type { CheckDefinition } from '@tidegate/protocol';
import type { LoggedDecision } from '../decision-log/logged-decision.js';
import {
  type CheckValue,
  type CompiledTrigger,
  checkType,
  decodeNumber,
  type Json,
  type Measurement,
  type WireNumber,
} from '../semantics/index.js';

/** What a decision was made from, out of its log: expressions evaluated on it come to what they came to. */
export function loggedMeasurement({ check }: Pick<CompiledTrigger, 'check'>, decision: LoggedDecision): Measurement {
  const { run, variable, step, epoch, time, values, failures, parts } = decision;
  return {
    run,
    variable,
    step,
    epoch,
    time,
    values: decoded(check, values),
    failures: new Map(Object.entries(failures)),
    parts: parts?.map((part) => ({ ...part, values: decoded(check, part.values) })) ?? {
      unknown: 'the pieces were not kept',
    },
  };
}

type Checks = Readonly<Record<string, CheckDefinition>>;

function decoded(checks: Checks, values: { readonly [name: string]: Json }): Map<string, CheckValue> {
  return new Map(Object.entries(values).map(([name, value]) => [name, decodedValue(checks[name], value)]));
}

/** Numbers that JSON lacks stand as text where a check yields numbers; what a responder answered is JSON as it is. */
function decodedValue(check: CheckDefinition | undefined, value: Json): CheckValue {
  if (check === undefined || check.call !== undefined) return value;
  if (typeof value === 'string' && (checkType(check) === 'double' || check.wasm !== undefined)) {
    return decodeNumber(value as WireNumber);
  }
  return Array.isArray(value) ? value.map((item: Json) => decodedValue(check, item)) : value;
}
