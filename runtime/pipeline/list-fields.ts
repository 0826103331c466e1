// Fields of a schema whose names look into a list. Records are looked into by the names of fields alone, so that such a field
// is null in each of them, unless something is really called so: a warning. Reads no record.

import type { Path } from "./pipeline.ts";
import type { Reader } from "./section.ts";

/** `devices[0]`, or a number between dots. */
const element = /\[\d+\]|(?:^|\.)\d+(?:\.|$)/;

export function warnOfListFields(reader: Reader, path: Path, names: readonly string[]): void {
  for (const name of names.filter((each) => element.test(each))) {
    const { document } = reader;
    const message = `${name} is read by its name alone, not out of a list`;
    const hint =
      "declare the list as json, and a step unnest makes a row of each element; where a message is a list as a whole: framing: array";
    reader.diagnostics.push(
      document.diagnostic(document.keySpanOf([...path, "schema", name]), message, hint, "warning"),
    );
  }
}
