import type { StepGroup } from './step-catalog.js';

/** What a variable's declaration says of steps that leave memory. */
export interface EvictionPolicy {
  /** Steps kept in memory. */
  readonly window: number;
  readonly onEvict: 'spill' | 'drop';
  readonly durability: 'memory' | 'durable';
  /** When the variable was declared: tells it from an earlier one of the same name. */
  readonly createdAt?: string;
}

/** One variable of one run, as the plan sees it. */
export interface EvictionSeries {
  /** Absent while the variable's declaration is not known. */
  readonly policy: EvictionPolicy | undefined;
  /** Steps below it are outside the window. */
  readonly floor: number | undefined;
  /** What it has in memory and, separately, on disk; oldest step first. */
  readonly memory: Iterable<StepGroup>;
  readonly disk: Iterable<StepGroup>;
}

/** One step to move out of memory, or to drop from both tiers. */
export interface Eviction {
  readonly action: 'spill' | 'drop';
  readonly group: StepGroup;
}

/**
 * What is to leave memory, in order. First the steps outside their window, oldest first: spilled or dropped as their
 * policy says; a drop also takes what was spilled or made durable before. Then, as long as those give back less than
 * `pressureBytes`, steps inside their windows: oldest first within a series, among series the one that came first. These
 * are always spilled: pressure never costs data. Steps outside their windows that a trigger may still decide stay in
 * memory, or under pressure are spilled like those inside. Pinned steps stay where they are.
 *
 * @param options.isUndecided asked of steps outside their windows
 * @param options.pressureBytes bytes that must leave memory; 0 if there is no pressure
 */
export function planEviction(options: {
  series: Iterable<EvictionSeries>;
  isPinned: (variable: string, run: string, step: number) => boolean;
  isUndecided: (variable: string, run: string, step: number) => boolean;
  pressureBytes: number;
}): Eviction[] {
  const { isPinned, isUndecided, pressureBytes } = options;
  const pinned = ({ variable, run, step }: StepGroup) => isPinned(variable, run, step);
  const undecided = ({ variable, run, step }: StepGroup) => isUndecided(variable, run, step);
  const outside: Eviction[][] = [];
  const inside: Eviction[][] = [];
  for (const { policy, floor = -1, memory, disk } of options.series) {
    const action = policy?.onEvict ?? 'spill';
    const leaving: Eviction[] = [];
    const kept: Eviction[] = [];
    for (const group of memory) {
      const isInside = policy === undefined || group.step >= floor;
      if (isInside && pressureBytes === 0) break;
      if (pinned(group)) continue;
      if (isInside || undecided(group)) kept.push({ action: 'spill', group });
      else leaving.push({ action, group });
    }
    outside.push(leaving);
    inside.push(kept);
    if (policy?.onEvict === 'drop') {
      outside.push(droppedFromDisk(disk, floor).filter(({ group }) => !pinned(group) && !undecided(group)));
    }
  }
  const plan = mergeByAge(outside);
  let planned = plan.reduce((sum, { group }) => sum + group.bytes, 0);
  if (planned >= pressureBytes) return plan;
  for (const eviction of mergeByAge(inside)) {
    if (planned >= pressureBytes) break;
    plan.push(eviction);
    planned += eviction.group.bytes;
  }
  return plan;
}

function droppedFromDisk(disk: Iterable<StepGroup>, floor: number): Eviction[] {
  const dropped: Eviction[] = [];
  for (const group of disk) {
    if (group.step >= floor) break;
    dropped.push({ action: 'drop', group });
  }
  return dropped;
}

/** Merges series by when their steps came; inside one the order of the steps stands, whenever they came. */
function mergeByAge(series: readonly Eviction[][]): Eviction[] {
  const aged = series.flatMap((evictions) => {
    let age = 0;
    return evictions.map((eviction) => {
      age = Math.max(age, eviction.group.stamp);
      return { age, eviction };
    });
  });
  // Ages rise within a series and the sort is stable.
  return aged.sort((a, b) => a.age - b.age).map(({ eviction }) => eviction);
}
