// weir schema, weir docs: what is generated from the specs, written to where it is kept, or checked.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { catalog } from "../../operators/catalog.ts";
import { aggregates } from "../../operators/window/window.ts";
import { functionTable } from "../expression/functions.ts";
import { pipelineJsonSchema } from "../pipeline/json-schema.ts";
import { operatorReference } from "../pipeline/reference.ts";
import { print } from "./terminal.ts";

interface GenerateOptions {
  readonly out: string;
  readonly check?: boolean;
}

function put(text: string, { out, check }: GenerateOptions): number {
  if (out === "-") {
    process.stdout.write(text);
    return 0;
  }
  const fresh = existsSync(out) && readFileSync(out, "utf8") === text;
  if (check === true) {
    print(fresh ? `${out} is up to date` : `${out} is out of date`);
    return fresh ? 0 : 1;
  }
  if (!fresh) writeFileSync(out, text);
  print(`${fresh ? "up to date" : "wrote"}: ${out}`);
  return 0;
}

export async function schema(options: GenerateOptions): Promise<number> {
  return put(`${JSON.stringify(pipelineJsonSchema(catalog), null, 2)}\n`, options);
}

export async function docs(options: GenerateOptions): Promise<number> {
  return put(operatorReference(catalog, functionTable, aggregates), options);
}
