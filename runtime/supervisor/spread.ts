// Which of its workers each partition of a pipeline is given to. Pure. All have as many, or one more; as few partitions
// as can be are moved for that; the same input gives the same answer.

/**
 * Shares `members` among `count` workers, which `nameOf` names from 1 on. `before` is where each was; workers that have
 * most are kept.
 */
export function spread(
  members: readonly string[],
  before: ReadonlyMap<string, string>,
  count: number,
  nameOf: (number: number) => string,
): ReadonlyMap<string, string> {
  const held = new Map(members.map((_, place): [string, string[]] => [nameOf(place + 1), []]));
  for (const member of members) held.get(before.get(member) ?? "")?.push(member);
  const fullest = [...held].sort(([, a], [, b]) => b.length - a.length).slice(0, count);
  const least = Math.floor(members.length / fullest.length);
  const oneMore = members.length % fullest.length;
  const where = new Map<string, string>();
  const rooms = fullest.map(([worker, own], place) => {
    const quota = least + (place < oneMore ? 1 : 0);
    for (const member of own.slice(0, quota)) where.set(member, worker);
    return { worker, left: quota - Math.min(quota, own.length) };
  });
  const homeless = members.filter((member) => !where.has(member));
  const seats = rooms.flatMap(({ worker, left }) => Array.from({ length: left }, () => worker));
  for (const [place, member] of homeless.entries()) where.set(member, seats[place]!);
  return where;
}
