// Calls in flow maps and lists: YAML takes the comma in `{ p99: quantile(temp, 0.99) }` for the next
// entry. Entries that an open parenthesis splits are put together again as the one text that was
// written. Changes nothing else in a document.

import { type Document, isMap, isPair, isScalar, type Node, type Range, Scalar, visit } from "yaml";

/** Entries of a list that one call may have been split into; no function has as many arguments. */
const argumentsMax = 32;

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Joins what a comma between parentheses took apart; answers the stretches of text that were joined. */
export function rejoinCalls(document: Document.Parsed, text: string): readonly Stretch[] {
  const joined: Stretch[] = [];
  visit(document, {
    Collection: (_, node) => {
      if (node.flow !== true) return;
      for (let place = 0; place < node.items.length; place++) {
        const opening = lastScalar(node.items[place]);
        const last = opening === null ? null : closing(node.items, place, opening.range!, text);
        if (opening === null || last === null) continue;
        const start = opening.range![0];
        const end = rangeOf(node.items[last])![1];
        opening.value = text.slice(start, end).replace(/\s*\n\s*/g, " ");
        opening.range = [start, end, end];
        node.items.splice(place + 1, last - place);
        joined.push({ start, end });
      }
    },
  });
  return joined;
}

/** The unquoted text that an entry ends in: a list's item, or the value of a map's pair. */
function lastScalar(item: unknown): Scalar | null {
  const node = isPair(item) ? item.value : item;
  return isScalar(node) && node.type === Scalar.PLAIN && typeof node.value === "string" && node.range
    ? node
    : null;
}

/** The entry in which the parentheses that `opening` leaves open are closed again; null when there is none near. */
function closing(items: readonly unknown[], place: number, [start, end]: Range, text: string): number | null {
  let open = openIn(text.slice(start, end));
  if (open <= 0) return null;
  let from = end;
  for (let next = place + 1; next < items.length && next - place < argumentsMax; next++) {
    const range = rangeOf(items[next]);
    if (range === null) return null;
    open += openIn(text.slice(from, range[1]));
    if (open <= 0) return open === 0 ? next : null;
    from = range[1];
  }
  return null;
}

/** Where an entry begins and ends; null where it holds anything but unquoted words. */
function rangeOf(item: unknown): [start: number, end: number] | null {
  const nodes: unknown[] = isPair(item)
    ? [item.key, item.value]
    : isMap(item)
      ? item.items.flatMap((pair) => [pair.key, pair.value])
      : [item];
  const ranges = nodes
    .filter((node) => node !== null)
    .map((node) => (isScalar(node) && node.type === Scalar.PLAIN ? (node as Node).range : null));
  const [first] = ranges;
  const last = ranges.findLast((range) => range && range[1] > range[0]) ?? first;
  return first && last ? [first[0], last[1]] : null;
}

function openIn(text: string): number {
  let open = 0;
  for (const character of text) {
    if (character === "(") open++;
    else if (character === ")") open--;
  }
  return open;
}
