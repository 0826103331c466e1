// What some records show of their fields: names, types, the time, and what is odd. The decoder itself is the judge of a
// type, so that what is found here is what a pipeline will read. Pure: records in, fields out; never reads a clock.

import type { Column, ColumnType } from "../../operators/sdk/index.ts";
import { PayloadBuilder, type Payloads } from "../batch/payloads.ts";
import type { Decoded, DecodeFault, FieldRead, TimeUnit } from "../codec/codec.ts";
import { createDecoder } from "../codec/formats.ts";
import { limits } from "../limits.ts";

/** Records of a source, as they came. */
export interface SampledRecords {
  readonly format: "json" | "csv";
  /** The columns of csv; null for json. */
  readonly header: readonly string[] | null;
  readonly payloads: readonly Uint8Array[];
}

export interface SampledField extends FieldRead {
  /** Records without it, or with null. */
  readonly missing: number;
  /** Records whose value is of another type: they would be left out. */
  readonly refused: number;
  /** What was wrong with the first of them. */
  readonly refusal: string | null;
  /** Distinct values, where they are texts or numbers; null where not. */
  readonly distinct: number | null;
  /** The earliest and the latest, of the time field. */
  readonly range: readonly [earliest: number, latest: number] | null;
  /** What all of its texts nearly are; null where they are just texts. */
  readonly nearly: "time" | "number" | null;
}

export interface SampledFields {
  readonly records: number;
  /** Records that cannot be read at all, and what was wrong with the first. */
  readonly broken: number;
  readonly breakage: string | null;
  readonly fields: readonly SampledField[];
  /** The field with the event's time, which is one of `fields`; null where none is plausible. */
  readonly time: { readonly name: string; readonly unit: TimeUnit } | null;
  /** Names that no pipeline file can hold, or that are too many. */
  readonly leftOut: readonly string[];
}

/** A type may have this share of the values against it and still be what is meant. */
const oddShare = 0.1;
const year_ms = 31_557_600_000;
/** No sensor was on NATS before, and no clock is that far ahead. */
const timeMin = Date.UTC(2000, 0, 1);
const nameOfTime =
  /(^|[._-])(ts|t|at|time|date|datetime|when|epoch|timestamp)$|timestamp|datetime|_?time(_?(ms|s|us|ns))?$/i;
/** What a file can hold as a field's name and a person can see. */
const nameable = /^[^{}\p{C}\p{Zl}\p{Zp}]+$/u;
const nearlyNumber = /^-?(0|[1-9]\d*)(\.\d+)?$/;
const nearlyTime = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/;

/** What the decoder makes of one field of all records. */
interface Trial {
  readonly column: Column;
  readonly faults: readonly DecodeFault[];
  readonly missing: number;
  /** Values that are there, of whatever type. */
  readonly present: number;
}

export function sampleFields(records: SampledRecords, now: number): SampledFields {
  return new Sampler(records, now).result();
}

class Sampler {
  readonly #records: SampledRecords;
  readonly #payloads: Payloads;
  readonly #now: number;
  readonly #names: readonly string[];
  readonly #leftOut: readonly string[];
  readonly #tries = new Map<string, Decoded>();

  constructor(records: SampledRecords, now: number) {
    this.#records = records;
    this.#now = now;
    const length = records.payloads.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const builder = new PayloadBuilder(Math.max(1, records.payloads.length), Math.max(1, length));
    for (const payload of records.payloads) builder.add(payload, "", 0);
    this.#payloads = builder.view();
    const names = namesOf(records);
    const usable = names.filter(isNameable);
    this.#names = usable.slice(0, limits.sample_fields_max);
    this.#leftOut = [...names.filter((name) => !isNameable(name)), ...usable.slice(limits.sample_fields_max)];
  }

  result(): SampledFields {
    const whole = this.#decoded("json").faults.filter(({ field }) => field < 0);
    const typed = this.#names.map((name) => this.#typed(name));
    const time = this.#timeAmong(typed);
    const fields = typed.map((field) =>
      time !== null && field.name === time.name ? this.#asTime(field.name, time.unit) : field,
    );
    return {
      records: this.#records.payloads.length,
      broken: whole.length,
      breakage: whole[0]?.detail ?? null,
      fields,
      time,
      leftOut: this.#leftOut,
    };
  }

  /** The first type that nearly all values are of. Whatever is JSON is JSON. */
  #typed(name: string): SampledField {
    for (const type of ["int64", "float64", "bool", "string"] as const) {
      const trial = this.#try({ name, type });
      if (trial.present > 0 && trial.faults.length <= trial.present * oddShare)
        if (type !== "int64" || this.#isLarge(name, trial)) return fieldOf({ name, type }, trial);
    }
    const json = { name, type: "json" } as const;
    return fieldOf(json, this.#try(json));
  }

  /** Whole numbers of which some are beyond what a float64 holds. */
  #isLarge(name: string, { column, faults }: Trial): boolean {
    if (column.type !== "int64") return false;
    const { values, valid } = column;
    const most = BigInt(Number.MAX_SAFE_INTEGER);
    const isLarge = (value: bigint, row: number): boolean =>
      valid?.[row] !== 0 && (value > most || value < -most);
    return values.some(isLarge) && faults.length === this.#try({ name, type: "float64" }).faults.length;
  }

  /** The field that is most probably the event's time: by its values, then its name, then the records that have it. */
  #timeAmong(fields: readonly SampledField[]): SampledFields["time"] {
    let best: { readonly name: string; readonly unit: TimeUnit; readonly score: number } | null = null;
    for (const { name, type, missing } of fields) {
      const units = type === "string" ? (["iso"] as const) : (["ms", "s", "us", "ns"] as const);
      if (type !== "string" && type !== "float64" && type !== "int64") continue;
      const named = nameOfTime.test(name);
      // A count of thousands of millions is no time because it could be one.
      const unit = units.find(
        (each) => (named || each !== "s") && this.#isTime({ name, type: "time", unit: each }),
      );
      if (unit === undefined) continue;
      const depth = name.split(".").length;
      const score = (named ? 1 : 0) - missing / this.#records.payloads.length - depth / 100;
      if (best === null || score > best.score) best = { name, unit, score };
    }
    return best === null ? null : { name: best.name, unit: best.unit };
  }

  #isTime(field: FieldRead): boolean {
    const trial = this.#try(field);
    const times = timesOf(trial.column);
    return (
      times.length > 0 &&
      trial.faults.length <= trial.present * oddShare &&
      times.every((time) => time >= timeMin && time <= this.#now + year_ms)
    );
  }

  #asTime(name: string, unit: TimeUnit): SampledField {
    const field = { name, type: "time", unit } as const;
    const trial = this.#try(field);
    const times = timesOf(trial.column);
    return { ...fieldOf(field, trial), range: [Math.min(...times), Math.max(...times)] };
  }

  /** One field read as a type. */
  #try({ name, type, unit }: FieldRead): Trial {
    const { faults, columns } = this.#decoded(type, unit);
    const place = this.#names.indexOf(name);
    const column = columns[place]!;
    const broken = faults.filter(({ field }) => field < 0).length;
    const refused = faults.filter(({ field }) => field === place);
    const { count } = this.#payloads;
    const valid = column.valid?.subarray(0, count).reduce((sum, each) => sum + each, 0) ?? count;
    const missing = count - valid - refused.length - broken;
    return { column, faults: refused, missing, present: valid + refused.length };
  }

  /** All fields read as one type, by the pipeline's own decoder. */
  #decoded(type: ColumnType, unit: TimeUnit = "ms"): Decoded {
    const key = `${type} ${unit}`;
    const known = this.#tries.get(key);
    if (known !== undefined) return known;
    const { format, header } = this.#records;
    const fields = this.#names.map((name) => ({ name, type, unit }));
    const decoded = createDecoder(format, fields, header === null ? {} : { header }).decode(this.#payloads);
    this.#tries.set(key, decoded);
    return decoded;
  }
}

function fieldOf(field: FieldRead, { column, faults, missing }: Trial): SampledField {
  return {
    ...field,
    missing,
    refused: faults.length,
    refusal: faults[0]?.detail ?? null,
    distinct: distinctOf(column),
    range: null,
    nearly: field.type === "string" ? nearlyWhat([...textsOf(column)]) : null,
  };
}

function distinctOf(column: Column): number | null {
  if (column.type === "string") return textsOf(column).size;
  if (column.type !== "float64") return null;
  return new Set(column.values.filter((_, row) => column.valid?.[row] !== 0)).size;
}

function nearlyWhat(texts: readonly string[]): SampledField["nearly"] {
  if (texts.length === 0) return null;
  if (texts.every((text) => nearlyTime.test(text))) return "time";
  return texts.every((text) => nearlyNumber.test(text)) ? "number" : null;
}

function textsOf(column: Column): ReadonlySet<string> {
  if (column.type !== "string") return new Set();
  const { values, valid, dictionary } = column;
  const codes = new Set([...values].filter((_, row) => valid?.[row] !== 0));
  return new Set([...codes].map((code) => dictionary.text(code)));
}

function timesOf(column: Column): readonly number[] {
  if (column.type !== "time") return [];
  return [...column.values].filter((_, row) => column.valid?.[row] !== 0);
}

/** What a payload's members are called, those of members with a path; in the order of their coming. */
function namesOf({ format, header, payloads }: SampledRecords): readonly string[] {
  if (format === "csv") return [...new Set(header)];
  const names = new Set<string>();
  const decoder = new TextDecoder();
  for (const payload of payloads) {
    try {
      addNames(JSON.parse(decoder.decode(payload)), "", names, 0);
    } catch {
      // The decoder counts it.
    }
  }
  return [...names];
}

function addNames(value: unknown, prefix: string, names: Set<string>, depth: number): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const [name, inner] of Object.entries(value)) {
    const path = `${prefix}${name}`;
    const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner);
    if (!isObject) names.add(path);
    else if (depth < limits.payload_depth_max) addNames(inner, `${path}.`, names, depth + 1);
  }
}

function isNameable(name: string): boolean {
  return name.length <= limits.field_name_length_max && nameable.test(name) && name !== "__proto__";
}
