import { BadRequestError, isName, isStep, type UndecidedRequest } from '@tidegate/protocol';

/** Checks the body of an `undecided` request. @throws BadRequestError */
export function readUndecided(map: Readonly<Record<string, unknown>>): UndecidedRequest {
  const { variable, run, steps, triggers } = map;
  if (!isName(variable)) throw refuse('variable', 'a name', variable);
  if (!isName(run)) throw refuse('run', 'a name', run);
  if (!Array.isArray(steps) || !steps.every(isStep)) throw refuse('steps', 'a list of steps', steps);
  if (!Array.isArray(triggers)) throw refuse('triggers', 'a list of triggers', triggers);
  const named = triggers.map((trigger: unknown) => {
    const { name, generation } = (trigger ?? {}) as { readonly name?: unknown; readonly generation?: unknown };
    if (!isName(name) || !isStep(generation)) throw refuse('triggers', 'each with a name and a generation', trigger);
    return { name, generation };
  });
  return { variable, run, steps, triggers: named };
}

function refuse(field: string, expected: string, got: unknown): BadRequestError {
  return new BadRequestError(field, `${field}: expected ${expected}, got ${JSON.stringify(got)}`);
}
