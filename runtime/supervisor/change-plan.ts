// What applying pipelines to a host would change: which are new, which become another revision, which go. Pure.

import type { WantedPipeline } from "./wanted.ts";

export interface PlannedChange {
  readonly name: string;
  readonly kind: "add" | "change" | "remove" | "keep";
  /** The revisions before and after; null for none. */
  readonly from: string | null;
  readonly to: string | null;
  /** It has another signature, or has none any more. */
  readonly resigned?: true;
}

/**
 * `prune`: what is there and not among `wanted` goes; otherwise it stays. `resigned`: pipelines that have another signature
 * than they had. In the order of names.
 */
export function planChanges(
  wanted: readonly Pick<WantedPipeline, "name" | "revision">[],
  present: ReadonlyMap<string, string>,
  prune: boolean,
  resigned: ReadonlySet<string> = new Set(),
): readonly PlannedChange[] {
  const changes = wanted.map(({ name, revision }): PlannedChange => {
    const from = present.get(name) ?? null;
    if (from === null) return { name, kind: "add", from, to: revision };
    if (resigned.has(name)) return { name, kind: "change", from, to: revision, resigned: true };
    return { name, kind: from === revision ? "keep" : "change", from, to: revision };
  });
  const named = new Set(wanted.map(({ name }) => name));
  for (const [name, from] of present) {
    if (named.has(name)) continue;
    changes.push(prune ? { name, kind: "remove", from, to: null } : { name, kind: "keep", from, to: from });
  }
  return changes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const marks = { add: "+", change: "~", remove: "-", keep: "=" } as const;

/** A line for each change: `~ climate 1a2b3c… → 4d5e6f…`. That a changed text has another signature goes without saying. */
export function planLines(changes: readonly PlannedChange[]): string[] {
  return changes.map(({ kind, name, from, to, resigned }) => {
    const isOther = from !== to && kind === "change";
    const signed = resigned === true && !isOther ? ", with another signature" : "";
    const what = isOther ? `${from} → ${to}` : `${to ?? from ?? ""}${signed}`;
    return `${marks[kind]} ${name} ${what}`;
  });
}
