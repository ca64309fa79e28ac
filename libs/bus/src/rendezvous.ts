/** FNV-1a over UTF-16 code units, finished by `mix`. */
function hashText(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

/** The finaliser of MurmurHash3 (Appleby): every bit of the input changes every bit of the result with probability ½. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const GOLDEN = 0x9e3779b1;

/**
 * Which member each shard belongs to: the one with the highest weight (rendezvous hashing, Thaler and Ravishankar
 * 1998). Everybody who knows the same members computes the same, in whatever order they are listed; a member that
 * comes or goes moves only the shards that it gains or had.
 *
 * @returns a member per shard; empty where there are no members
 */
export function assign(shards: number, members: readonly string[]): readonly string[] {
  if (members.length === 0) return [];
  const first = members.map((member) => hashText(member, 0));
  const second = members.map((member) => hashText(member, GOLDEN));
  const owners: string[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const salt = Math.imul(shard + 1, GOLDEN);
    let owner = '';
    let highest = -1;
    for (const [index, member] of members.entries()) {
      const weight = mix(mix((first[index] ?? 0) ^ salt) + (second[index] ?? 0));
      if (weight > highest || (weight === highest && member > owner)) {
        highest = weight;
        owner = member;
      }
    }
    owners.push(owner);
  }
  return owners;
}
