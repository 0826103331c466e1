// weir schema, weir docs: what is generated from the specs, written to where it is kept, or checked.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { catalog } from "../../operators/catalog.ts";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { aggregates } from "../../operators/window/window.ts";
import { loadOperators } from "../engine/operator-file.ts";
import { rehearse } from "../engine/rehearsal.ts";
import { WeirError } from "../errors.ts";
import { functionTable } from "../expression/functions.ts";
import { type JsonSchema, pipelineJsonSchema } from "../pipeline/json-schema.ts";
import { operatorReference } from "../pipeline/reference.ts";
import { deviceReference } from "../worker/settings-reference.ts";
import { deviceJsonSchema } from "../worker/settings-schema.ts";
import { print } from "./terminal.ts";

interface GenerateOptions {
  readonly out: string;
  readonly check?: boolean;
}

/** Kinds of files that editors are told of. */
export type SchemaKind = "pipeline" | "device";

type Own = readonly OperatorDefinition[];
interface Kept {
  readonly place: string;
  readonly make: (own: Own) => JsonSchema;
}

/** Where their schemas are kept, and how they are made. */
const schemas: Readonly<Record<SchemaKind, Kept>> = {
  pipeline: {
    place: "pipelines/pipeline.schema.json",
    make: (own) => pipelineJsonSchema([...catalog, ...own]),
  },
  device: { place: "pipelines/device.schema.json", make: deviceJsonSchema },
};

/** The operators of files of the user's own. */
async function ownOperators(files: readonly string[]): Promise<Own> {
  const all: OperatorDefinition[] = [];
  for (const file of files) {
    const path = resolve(file);
    await rehearse(path);
    all.push(...(await loadOperators(path)));
  }
  return all;
}

function put(text: string, { out, check = false }: GenerateOptions): number {
  if (out === "-") {
    process.stdout.write(text);
    return 0;
  }
  if (!existsSync(dirname(out)))
    throw new WeirError("WEIR_FILE", `there is no folder ${dirname(out)} for ${basename(out)}`, {
      remedy: "name a file with --out, or - for standard output",
    });
  const fresh = existsSync(out) && readFileSync(out, "utf8") === text;
  if (check) {
    print(fresh ? `${out} is up to date` : `${out} is out of date`);
    return fresh ? 0 : 1;
  }
  if (!fresh) writeFileSync(out, text);
  print(`${fresh ? "up to date" : "wrote"}: ${out}`);
  return 0;
}

/** One schema; where neither it nor a place is named, all in their places. */
export async function schema(
  named: SchemaKind | undefined,
  { out, use = [], ...options }: Partial<GenerateOptions> & { readonly use?: readonly string[] },
): Promise<number> {
  if (use.length > 0 && (named === "device" || out === undefined))
    throw new WeirError("WEIR_USAGE", "--use is for a schema of pipelines of your own", {
      remedy: "say where it goes: weir schema --use operators/spike.ts --out pipeline.schema.json",
    });
  const own = await ownOperators(use);
  const kinds = named ?? (out === undefined ? (Object.keys(schemas) as SchemaKind[]) : "pipeline");
  const codes = [kinds].flat().map((kind) => {
    const { place, make } = schemas[kind];
    return put(`${JSON.stringify(make(own), null, 2)}\n`, { ...options, out: out ?? place });
  });
  return Math.max(...codes);
}

export async function docs(options: GenerateOptions): Promise<number> {
  return put(operatorReference(catalog, functionTable, aggregates, deviceReference()), options);
}
