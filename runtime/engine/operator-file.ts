// A file of operators of the user's own, as a module: the only place that loads code of the user's. Says what is wrong where it
// cannot be loaded; whether it comes back at all, a thread has tried before (rehearsal.ts).

import { createHash } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { WeirError } from "../errors.ts";
import { partUrl } from "../layout.ts";
import { addOperatorFile } from "../operator-place.ts";
import { unloadableFor } from "./operator-fault.ts";
import { addStranger } from "./strangers.ts";

let resolving = false;

/** Lets a stranger's file import `weir/sdk` wherever it lies: it is always the SDK of this weir. */
function resolveSdk(): void {
  if (resolving) return;
  resolving = true;
  const sdk = partUrl("sdk.js").href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "weir/sdk" ? { url: sdk, shortCircuit: true } : next(specifier, context),
  });
}

/** True of what one of the forms of the SDK returned, complete or not. */
function isMeant(value: unknown): value is Partial<OperatorDefinition> {
  return typeof value === "object" && value !== null && "create" in value && "config" in value;
}

/** What an operator lacks; null where it is one. Only JavaScript, or types that nobody looked at, come to it. */
function lackOf({ name, config, create, kind }: Partial<OperatorDefinition>): string | null {
  if (typeof name !== "string") return `its name is ${typeof name}, expected a text`;
  // A schema of zod 4, whichever copy made it.
  if (typeof config !== "object" || config === null || !("_zod" in config))
    return "its config is no schema, as z.strictObject({ … }) of weir/sdk makes it";
  if (typeof create !== "function") return "it has no function create";
  return kind === "stateless" || kind === "keyed" ? null : `its kind is ${kind}, expected stateless or keyed`;
}

/** The operators that a module exports, each once: one may be the default as well. */
function definitionsIn(
  file: string,
  exported: Readonly<Record<string, unknown>>,
): readonly OperatorDefinition[] {
  const refusal = (message: string, remedy: string): WeirError =>
    new WeirError("WEIR_OPERATOR", `${file} ${message}`, { remedy });
  const definitions = new Set<OperatorDefinition>();
  for (const [exportedAs, value] of Object.entries(exported)) {
    if (!isMeant(value)) continue;
    const lack = lackOf(value);
    if (lack !== null) throw refusal(`exports ${exportedAs}, which is no operator: ${lack}`, "correct it");
    definitions.add(value as OperatorDefinition);
  }
  if (definitions.size === 0)
    throw refusal(
      "exports no operator",
      "export what defineFilter, defineMap, defineKeyed or defineOperator returned",
    );
  return [...definitions];
}

/** Words of a step that are no operators. */
export const stepWords: ReadonlySet<string> = new Set(["branch", "sink", "keys", "late"]);

/** True for a name that a step can have. */
export function isStepName(name: string): boolean {
  return /^[a-z][a-z0-9_]*$/.test(name) && !stepWords.has(name);
}

/** A file's module is kept for as long as the process lives: one that was changed since is another module. */
function addressOf(path: string): string {
  const mark = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 12);
  return `${pathToFileURL(path).href}?${mark}`;
}

/** A file without such an end is no code: what it holds, a password perhaps, would be told as what is wrong with it. */
const codeEnd = /\.[cm]?[jt]s$/;

/** The definitions that a file of the user's exports. */
export async function loadOperators(file: string): Promise<readonly OperatorDefinition[]> {
  resolveSdk();
  if (!codeEnd.test(file))
    throw new WeirError("WEIR_OPERATOR", `cannot load operators from ${file}: it is no file of code`, {
      remedy: "operators are in a file that ends in .ts or .js, or .mts, .mjs, .cts or .cjs",
    });
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new WeirError("WEIR_OPERATOR", `cannot load operators from ${file}: there is no such file`, {
      remedy: "the path is relative to the pipeline's file",
    });
  }
  const path = realpathSync(file);
  addOperatorFile(path);
  let exported: Record<string, unknown>;
  try {
    exported = (await import(addressOf(path))) as Record<string, unknown>;
  } catch (error) {
    throw unloadableFor(file, error);
  }
  const definitions = definitionsIn(file, exported);
  for (const definition of definitions) addStranger(definition);
  return definitions;
}
