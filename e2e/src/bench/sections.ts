/** The parts of the bench, in the order in which they run. */
export const SECTIONS = [
  'staging',
  'index',
  'copy',
  'spill',
  'memory',
  'kernels',
  'latency',
  'check',
  'decisions',
  'overhead',
  'cost',
] as const;
export type Section = (typeof SECTIONS)[number];

/** Names for several of them. */
const GROUPS: Readonly<Record<string, readonly Section[]>> = {
  all: SECTIONS,
  triggers: ['kernels', 'latency', 'check', 'decisions', 'overhead', 'cost'],
};

/** The sections that a list like `staging,triggers` names. @throws RangeError for a name that is none */
export function sectionsOf(list: string): ReadonlySet<Section> {
  const wanted = new Set<Section>();
  for (const name of list.split(',')) {
    const section = SECTIONS.find((each) => each === name);
    const named = section === undefined ? GROUPS[name] : [section];
    if (named === undefined) {
      const known = [...Object.keys(GROUPS), ...SECTIONS].join(', ');
      throw new RangeError(`expected parts of the bench (${known}), got "${name}"`);
    }
    for (const each of named) wanted.add(each);
  }
  return wanted;
}
