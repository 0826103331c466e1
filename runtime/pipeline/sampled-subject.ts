// Which tokens of the subjects that some records came under are columns, and what they are called. Pure.

import { namedTokens, partitionToken } from "./subject.ts";

export interface SampledToken {
  readonly name: string;
  /** What stood there, in the order of its coming. */
  readonly values: readonly string[];
}

export interface SampledSubject {
  /** As a pipeline's source has it. */
  readonly subject: string;
  readonly tokens: readonly SampledToken[];
  /** What was always the same where anything may stand, and is written out. */
  readonly fixed: readonly string[];
}

/**
 * `pattern` is what was listened to: every `*` of it becomes a column, and what `>` stood for becomes columns where it
 * varies. `taken`: names that are fields of the records.
 */
export function sampleSubject(
  pattern: string,
  subjects: readonly string[],
  taken: ReadonlySet<string>,
): SampledSubject {
  const seen = [...new Set(subjects)].map((subject) => subject.split("."));
  const written = pattern.split(".");
  const shortest = Math.min(...seen.map(({ length }) => length));
  const isOpen = written.at(-1) === ">";
  // Subjects of several lengths keep the `>`: only what stands in all of them before it has a place.
  const isEven = seen.every(({ length }) => length === shortest);
  const length = !isOpen ? written.length : isEven ? shortest : Math.max(written.length, shortest) - 1;
  const names = new Set([...taken, ...namedTokens(pattern).map(({ name }) => name)]);
  const tokens: SampledToken[] = [];
  const fixed: string[] = [];
  const made: string[] = [];
  for (let place = 0; place < length; place++) {
    const values = [...new Set(seen.flatMap((each) => each[place] ?? []))];
    const own = isOpen && place >= written.length - 1 ? ">" : written[place]!;
    const given = /^\{(.*)\}$/.exec(own)?.[1];
    if (own === ">" && values.length === 1) fixed.push(values[0]!);
    if ((own !== "*" && own !== ">" && given === undefined) || (own === ">" && values.length === 1)) {
      made.push(own === ">" ? values[0]! : own);
      continue;
    }
    const name =
      given !== undefined && !taken.has(given)
        ? given
        : freeName(given ?? nameOf(made, place === length - 1 && isEven), names);
    names.add(name);
    tokens.push({ name, values });
    made.push(`{${name}}`);
  }
  return { subject: [...made, ...(isOpen && !isEven ? [">"] : [])].join("."), tokens, fixed };
}

/** What a token is called: after what stands before it, as in `rooms.{room}`. */
function nameOf(before: readonly string[], isLast: boolean): string {
  const last = before.at(-1) ?? "{";
  if (last.startsWith("{")) return isLast && before.length > 0 ? "kind" : `token_${before.length + 1}`;
  if (/^(sensors?|devices?)$/i.test(last)) return "device";
  const one = last.toLowerCase().replace(/[^a-z0-9_]/g, "_");
  const name = one.replace(/ies$/, "y").replace(/([^s])s$/, "$1");
  return /^[a-z]/.test(name) && name !== partitionToken ? name : `token_${before.length + 1}`;
}

/** A name that no field has. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}_${count}`;
  return free;
}
