// How the rows of a branch become payloads: the original bytes, the original with what was changed, or
// columns alone. Chooses; the codecs do it.

import type { Batch, Schema, SchemaField } from "../../operators/sdk/index.ts";
import type { Encoder, Format } from "../codec/codec.ts";
import { createEncoder } from "../codec/formats.ts";
import type { BranchPlan, PipelinePlan } from "../pipeline/pipeline.ts";

/** Copies the payloads that the rows came from. */
const forward: Encoder = {
  encode(batch, emit) {
    for (let i = 0; i < batch.count; i++) {
      const row = batch.selection[i]!;
      emit(row, batch.origin!.payload(row).slice());
    }
  },
};

/**
 * Open rows of the source's own format are the original record with what was changed or added: a field
 * that no step replaced is copied as it was written, in its own unit and to its last digit. CSV is left
 * out, because its cells have no type.
 */
function amending(plan: PipelinePlan, { rows, format }: BranchPlan): Encoder | null {
  const origin = originFormat(plan);
  if (rows.rest === null || format !== origin || origin === "csv") return null;
  const changed = changedFields(plan, rows);
  const places = [...rows.fields.keys()].filter((place) => changed.includes(rows.fields[place]!));
  const schema: Schema = { fields: places.map((place) => rows.fields[place]!), rest: rows.rest };
  const encoder = createEncoder(format, { origin, schema, apart: namesOf(changed) });
  return {
    encode(batch, emit) {
      const columns = places.map((place) => batch.columns[place]!);
      encoder.encode({ ...batch, schema, columns }, emit);
    },
  };
}

/** The fields that do not stand in the original as they are: a step made or replaced them. */
function changedFields({ schema, inputs }: PipelinePlan, rows: Schema): readonly SchemaField[] {
  const unchanged = new Set(schema.fields.slice(0, inputs[0]!.fields.length));
  return rows.fields.filter((each) => !unchanged.has(each));
}

function namesOf(fields: readonly SchemaField[]): ReadonlySet<string> {
  return new Set(fields.map(({ name }) => name));
}

/** What originals are written in, which only the rows of a single source take anything from. */
function originFormat({ inputs }: PipelinePlan): Format {
  return inputs[0]!.spec.format;
}

/** The encoder of a branch. Rows that an operator made have no original, and are written from their columns. */
export function rowEncoder(
  plan: PipelinePlan,
  branch: BranchPlan,
  header: readonly string[] | null,
): Encoder {
  const { rows, format, message } = branch;
  const origin = originFormat(plan);
  const encoderOf = (apart: readonly SchemaField[]): Encoder =>
    createEncoder(format, { origin, header: header ?? [], message, schema: rows, apart: namesOf(apart) });
  const bare = encoderOf(rows.fields);
  // Names of CSV are no paths: nothing is nested there.
  const whole = (): Encoder =>
    rows.rest === null || origin === "csv" ? bare : encoderOf(changedFields(plan, rows));
  const withOrigin = branch.forwards ? forward : (amending(plan, branch) ?? whole());
  return {
    encode: (batch: Batch, emit) => (batch.origin === null ? bare : withOrigin).encode(batch, emit),
  };
}
