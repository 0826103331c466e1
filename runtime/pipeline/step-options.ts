// What may stand beside an operator's word in a step, and where it may not. The chain under `late` is read
// with the other steps.

import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { keysSetting } from "./limits-spec.ts";
import { isOption } from "./option-words.ts";
import type { DeclaredKeys, Path } from "./pipeline.ts";
import type { Reader } from "./section.ts";

/** Only an operator with keys has bounds on them, and calls records late. */
export function checkOptions(
  reader: Reader,
  path: Path,
  kind: OperatorDefinition["kind"] | undefined,
  name: string,
): void {
  if (kind !== "stateless") return;
  for (const option of Object.keys(reader.document.valueAt(path) as object).filter(isOption)) {
    const hint = option === "late" ? "it belongs beside a window or another keyed operator" : "remove it";
    reader.keyFault([...path, option], `${name} has no ${option}: it keeps nothing per key`, hint);
  }
}

export function readKeys(reader: Reader, path: Path): DeclaredKeys {
  const at = [...path, "keys"];
  return reader.document.valueAt(at) === undefined ? {} : (reader.parse(keysSetting, at) ?? {});
}
