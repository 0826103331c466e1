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
      "elements of a list cannot be told apart: framing: array where a message is one as a whole, else an operator of your own, as operators/examples/registers.ts";
    reader.diagnostics.push(
      document.diagnostic(document.keySpanOf([...path, "schema", name]), message, hint, "warning"),
    );
  }
}
