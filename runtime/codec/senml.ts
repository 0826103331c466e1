// Packs of SenML in JSON (RFC 8428) as records each of which says all: its whole name, its time in seconds since 1970, its
// unit and its value ("resolved records", section 4.6). What is no such pack is not resolved in part.

import { valueAt } from "../../operators/sdk/index.ts";
import { RecordList } from "../batch/payloads.ts";
import { limits } from "../limits.ts";
import type { DecodeFault, FieldRead } from "./codec.ts";
import { cutArray } from "./json/elements.ts";
import { forEachRestText } from "./json/encoder-members.ts";
import { HeapLanding } from "./json/landing.ts";
import { compilePaths } from "./json/paths.ts";
import { JsonReader } from "./json/reader.ts";

/** Where a record that comes alone has begun at the latest. */
const aheadBytes = 16;
/** The version that RFC 8428 describes. */
const versionMax = 10;
/** Times below this are relative to when the pack arrived, s (section 4.5.3). */
const relativeBelow_s = 2 ** 28;

const fields: readonly FieldRead[] = [
  { name: "bver", type: "float64" },
  { name: "bn", type: "string" },
  { name: "bt", type: "float64" },
  { name: "bu", type: "string" },
  { name: "bv", type: "float64" },
  { name: "bs", type: "float64" },
  { name: "n", type: "string" },
  { name: "t", type: "float64" },
  { name: "u", type: "string" },
];
/** What a resolved record does not have, or has in another form. */
const resolved: ReadonlySet<string> = new Set(fields.map(({ name }) => name));

type Read = readonly [
  version: number | null,
  baseName: string | null,
  baseTime: number | null,
  baseUnit: string | null,
  baseValue: number | null,
  baseSum: number | null,
  name: string | null,
  time: number | null,
  unit: string | null,
];

/** What holds for a record and those behind it. */
interface Base {
  readonly name: string;
  readonly time: number;
  readonly unit: string | null;
  readonly value: number;
  readonly sum: number | null;
}

const noBase: Base = { name: "", time: 0, unit: null, value: 0, sum: null };

/** Resolves one pack after another. */
export class SenmlPacks {
  readonly #reader = new JsonReader(fields, compilePaths(fields));
  readonly #landing = new HeapLanding(fields.map(({ type }) => type));
  readonly #entries = new RecordList();

  /** The resolved records of a pack that arrived at `arrived`, ms, in JSON; null where it is none, or of another version. */
  resolve(pack: Uint8Array, arrived: number): readonly Uint8Array[] | null {
    const read = this.#read(pack);
    if (read === null) return null;
    const { starts, ends } = this.#entries;
    const records: Uint8Array[] = [];
    let base = noBase;
    let length = 0;
    for (const [place, entry] of read.entries()) {
      base = baseBehind(base, entry);
      const text = recordText(pack.subarray(starts[place], ends[place]), entry, base, arrived);
      if (text === null) return null;
      const record = Buffer.from(text);
      length += record.length;
      // A long name for very many records is a bomb.
      if (length > limits.senml_resolved_bytes_max) return null;
      records.push(record);
    }
    return records;
  }

  /** What of each entry is to be resolved; null where one of them is no object, or something in it of another type. */
  #read(pack: Uint8Array): readonly Read[] | null {
    const [entries, landing] = [this.#entries, this.#landing];
    entries.begin(pack);
    // Some devices send a record alone, without the array around it.
    if (/^\s*\{/.test(Buffer.from(pack.subarray(0, aheadBytes)).toString("latin1")))
      entries.add(0, pack.length);
    else if (!cutArray(pack, entries)) return null;
    landing.begin(entries.count);
    const faults: DecodeFault[] = [];
    for (let row = 0; row < entries.count; row++)
      if (!this.#reader.read(pack, entries.starts[row]!, entries.ends[row]!, row, landing, faults))
        return null;
    const columns = landing.finish();
    return Array.from({ length: entries.count }, (_, row) =>
      columns.map((column) => valueAt(column, row)),
    ) as unknown as readonly Read[];
  }
}

function baseBehind(before: Base, [, name, time, unit, value, sum]: Read): Base {
  return {
    name: name ?? before.name,
    time: time ?? before.time,
    unit: unit ?? before.unit,
    value: value ?? before.value,
    sum: sum ?? before.sum,
  };
}

/** The resolved record of an entry; null where it has no name, or something that has to be understood and is not (section 4.4). */
function recordText(entry: Uint8Array, read: Read, base: Base, arrived: number): string | null {
  const [version, , , , , , ownName, ownTime, ownUnit] = read;
  const name = base.name + (ownName ?? "");
  if ((version !== null && version > versionMax) || name === "") return null;
  const time = base.time + (ownTime ?? 0);
  const unit = ownUnit ?? base.unit;
  const members = [
    `"n":${JSON.stringify(name)}`,
    `"t":${time < relativeBelow_s ? arrived / 1_000 + time : time}`,
    ...(unit === null ? [] : [`"u":${JSON.stringify(unit)}`]),
  ];
  let isUnderstood = true;
  let hasSum = false;
  forEachRestText(entry, resolved, (label, text) => {
    if (label.endsWith("_")) isUnderstood = false;
    if (label === "s") hasSum = true;
    const added = label === "v" ? base.value : label === "s" ? (base.sum ?? 0) : 0;
    // As it stands, with all its digits, where there is nothing to add.
    members.push(`${JSON.stringify(label)}:${added === 0 ? text : sumText(text, added)}`);
  });
  if (base.sum !== null && !hasSum) members.push(`"s":${base.sum}`);
  return isUnderstood ? `{${members.join(",")}}` : null;
}

/** A number and another one; what is none stays as it is, for its reader to see. */
function sumText(text: string, added: number): string {
  const value: unknown = JSON.parse(text);
  return typeof value === "number" ? String(value + added) : text;
}
