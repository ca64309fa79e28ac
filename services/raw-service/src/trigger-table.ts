import type { TriggerRecord } from '@tidegate/protocol';

const NONE: readonly TriggerRecord[] = [];

/** The triggers that decide something, by the variable that they watch. */
export class TriggerTable {
  readonly #variables = new Map<string, readonly TriggerRecord[]>();
  readonly #watched = new Map<string, string>();

  /** A trigger's record changed; without one it is gone. @returns the variables that it concerns, before and after */
  set(name: string, record: TriggerRecord | undefined): readonly string[] {
    const before = this.#watched.get(name);
    const decides = record !== undefined && record.state !== 'deleted' && record.enabled;
    if (before !== undefined) this.#remove(name, before);
    if (!decides) return before === undefined ? [] : [before];
    const { variable } = record.definition.on;
    this.#watched.set(name, variable);
    this.#variables.set(variable, [...(this.#variables.get(variable) ?? NONE), record]);
    return before === undefined || before === variable ? [variable] : [before, variable];
  }

  /** Those on a variable, whichever declaration of that name they mean. */
  of(variable: string): readonly TriggerRecord[] {
    return this.#variables.get(variable) ?? NONE;
  }

  #remove(name: string, variable: string): void {
    this.#watched.delete(name);
    const left = this.of(variable).filter((record) => record.name !== name);
    if (left.length === 0) this.#variables.delete(variable);
    else this.#variables.set(variable, left);
  }
}
