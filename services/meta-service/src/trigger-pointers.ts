import { type Box, BoxIndex, intersect, parseBox } from '@tidegate/geometry';
import { appliesTo, type IndexEntry, type TriggerRecord, type TriggerScope } from '@tidegate/protocol';
import type { VariableIndex } from './variable-index.js';

/** Where a trigger is to be told of a partition. */
export interface TriggerPointer {
  /** Name of the trigger. */
  readonly id: string;
  /** What it watches of its variable. */
  readonly box: Box;
  readonly scope: TriggerScope;
  readonly primary: number;
}

type Place = Pick<TriggerRecord, 'variableCreatedAt'> & { readonly variable: string };

const NONE: readonly TriggerPointer[] = [];

/**
 * The enabled triggers by what they watch: variable, declaration of that name, box. Finding those that a partition
 * concerns costs one look-up where its variable has none, and a search in a tree where they are elsewhere.
 */
export class TriggerPointers {
  readonly #variables = new Map<string, Map<string, BoxIndex<TriggerPointer>>>();
  readonly #places = new Map<string, Place>();

  /** A trigger's record changed; without one it is gone. @throws BoxSyntaxError, InvalidBoxError for what no engine writes */
  set(name: string, record: TriggerRecord | undefined): void {
    this.#remove(name);
    if (record === undefined || record.state === 'deleted' || !record.enabled) return;
    const { definition, primary, variableCreatedAt } = record;
    const scope = definition.on;
    const declarations = this.#variables.get(scope.variable) ?? new Map<string, BoxIndex<TriggerPointer>>();
    const pointers = declarations.get(variableCreatedAt) ?? new BoxIndex<TriggerPointer>();
    pointers.insert({ id: name, box: parseBox(scope.box ?? ''), scope, primary });
    declarations.set(variableCreatedAt, pointers);
    this.#variables.set(scope.variable, declarations);
    this.#places.set(name, { variable: scope.variable, variableCreatedAt });
  }

  #remove(name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    this.#places.delete(name);
    const declarations = this.#variables.get(place.variable);
    const pointers = declarations?.get(place.variableCreatedAt);
    pointers?.remove(name);
    if (pointers?.size === 0) declarations?.delete(place.variableCreatedAt);
    if (declarations?.size === 0) this.#variables.delete(place.variable);
  }

  /**
   * The triggers to be told that a partition was indexed at some shards: those that watch a cell of it there. Where a
   * partition and a box share shards of several owners each of these tells, since it is the last of them to index it
   * that makes a plan see all of it.
   */
  matching(
    { record, map }: Pick<VariableIndex, 'record' | 'map'>,
    { run, step, box }: Pick<IndexEntry, 'run' | 'step' | 'box'>,
    shards: readonly number[],
  ): readonly TriggerPointer[] {
    const declarations = this.#variables.get(record.name);
    if (declarations === undefined) return NONE;
    const near = declarations.get(record.createdAt)?.search(box) ?? NONE;
    if (near.length === 0) return NONE;
    return near.filter((pointer) => {
      if (!appliesTo(pointer.scope, run, step)) return false;
      const shared = intersect(pointer.box, box);
      return shared !== undefined && map.shardsOf(shared).some((shard) => shards.includes(shard));
    });
  }
}
