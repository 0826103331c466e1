// Which names to look for on the way through a document: the fields read, compiled to one table of names
// a level. Knows names only; never sees a payload or a value.
//
// A dotted name is a path, and the text as it stands wins over the path at every level: `a.b.c` is the
// member "a.b.c", else what "b.c" names in the object "a", which is its member "b.c", else "c" of its "b".
// So a name with two dots has three places where it may stand. Each place is a *target*.

import type { FieldRead } from "../codec.ts";

export interface NameEntry {
  readonly text: string;
  /** UTF-8. */
  readonly bytes: Uint8Array;
  /** The target that this member's value is, or -1. */
  readonly target: number;
  /** What to look for when the value is an object; null when nothing. */
  readonly child: NameTable | null;
  /** Every target at or inside the value. */
  readonly targets: readonly number[];
  /** Its number among all entries of the paths. */
  readonly place: number;
}

/** The names that matter in one object. */
export interface NameTable {
  /** By length of the name in bytes. */
  readonly byLength: readonly (readonly NameEntry[] | undefined)[];
  readonly byText: ReadonlyMap<string, NameEntry>;
}

export interface Paths {
  readonly root: NameTable;
  readonly targets: number;
  /** How many names there are in all tables. */
  readonly entries: number;
  /** By field: its targets, the one that wins first. */
  readonly targetsOf: readonly (readonly number[])[];
  /** By target: the first field that may stand there. */
  readonly fieldOf: readonly number[];
  /** True when every target belongs to one field, and nobody reads inside a value that is read itself. */
  readonly disjoint: boolean;
}

interface Node {
  readonly members: Map<string, { target: number; child: Node | null }>;
}

function addPath(root: Node, name: string, targetsOf: number[], newTarget: () => number): void {
  let node = root;
  let rest = name;
  for (;;) {
    const own = memberOf(node, rest);
    if (own.target < 0) own.target = newTarget();
    targetsOf.push(own.target);
    const dot = rest.indexOf(".");
    if (dot < 0) return;
    const parent = memberOf(node, rest.slice(0, dot));
    parent.child ??= { members: new Map() };
    node = parent.child;
    rest = rest.slice(dot + 1);
  }
}

function memberOf(node: Node, text: string): { target: number; child: Node | null } {
  let member = node.members.get(text);
  if (member === undefined) {
    member = { target: -1, child: null };
    node.members.set(text, member);
  }
  return member;
}

/** `newPlace` numbers the entries. */
function freeze(
  node: Node,
  newPlace: () => number,
): { readonly table: NameTable; readonly targets: number[] } {
  const byText = new Map<string, NameEntry>();
  const byLength: NameEntry[][] = [];
  const targets: number[] = [];
  for (const [text, member] of node.members) {
    const child = member.child === null ? null : freeze(member.child, newPlace);
    const own = member.target < 0 ? [] : [member.target];
    const entry: NameEntry = {
      text,
      bytes: new TextEncoder().encode(text),
      target: member.target,
      child: child?.table ?? null,
      targets: [...own, ...(child?.targets ?? [])],
      place: newPlace(),
    };
    byText.set(text, entry);
    (byLength[entry.bytes.length] ??= []).push(entry);
    targets.push(...entry.targets);
  }
  return { table: { byLength: Array.from(byLength), byText }, targets };
}

function overlaps(node: Node): boolean {
  for (const { target, child } of node.members.values())
    if (child !== null && (target >= 0 || overlaps(child))) return true;
  return false;
}

export function compilePaths(fields: readonly FieldRead[]): Paths {
  const root: Node = { members: new Map() };
  const fieldOf: number[] = [];
  const uses: number[] = [];
  const targetsOf = fields.map((field, index) => {
    const targets: number[] = [];
    addPath(root, field.name, targets, () => fieldOf.push(index) - 1);
    for (const target of targets) uses[target] = (uses[target] ?? 0) + 1;
    return targets;
  });
  let entries = 0;
  return {
    root: freeze(root, () => entries++).table,
    targets: fieldOf.length,
    entries,
    targetsOf,
    fieldOf,
    disjoint: uses.every((count) => count === 1) && !overlaps(root),
  };
}
