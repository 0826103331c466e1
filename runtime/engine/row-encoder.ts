// How the rows of a branch become payloads: the original bytes, the original with what was changed, or
// columns alone. Chooses; the codecs do it.

import type { Batch, Schema } from "../../operators/sdk/index.ts";
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
  const unchanged = new Set(plan.schema.fields.slice(0, plan.inputs[0]!.fields.length));
  const places = [...rows.fields.keys()].filter((place) => !unchanged.has(rows.fields[place]!));
  const schema: Schema = { fields: places.map((place) => rows.fields[place]!), rest: rows.rest };
  const encoder = createEncoder(format, { origin, schema });
  return {
    encode(batch, emit) {
      const columns = places.map((place) => batch.columns[place]!);
      encoder.encode({ ...batch, schema, columns }, emit);
    },
  };
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
  const options = {
    origin: originFormat(plan),
    header: header ?? [],
    message: branch.message,
    schema: branch.rows,
  };
  const whole = createEncoder(branch.format, options);
  const withOrigin = branch.forwards ? forward : (amending(plan, branch) ?? whole);
  return {
    encode: (batch: Batch, emit) => (batch.origin === null ? whole : withOrigin).encode(batch, emit),
  };
}
