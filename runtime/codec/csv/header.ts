// The first line of a CSV file, which names its columns. A column may be missing, and is null then; a file that has none of those
// that are read is another file, or not separated by commas.

import { WeirError } from "../../errors.ts";
import { parseCsvLine } from "./line.ts";

const otherSeparators: readonly (readonly [string, string])[] = [
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "bars"],
];

/** The columns that `line`, the first of the file at `path`, names; refuses one that names none of the `fields` that are read. */
export function readCsvHeader(
  line: string | null,
  path: string,
  fields: readonly string[],
): readonly string[] {
  const header = parseCsvLine(line ?? "");
  if (header === null) {
    throw new WeirError("WEIR_FILE", `${path} has no header line`, {
      remedy: "the first line of a CSV file names its columns",
    });
  }
  if (fields.length === 0 || fields.some((field) => header.includes(field))) return header;
  const separator = header.length > 1 ? undefined : otherSeparators.find(([sign]) => line?.includes(sign));
  const what = separator === undefined ? "" : `, separated by ${separator[1]}`;
  throw new WeirError(
    "WEIR_FILE",
    `${path} has the columns ${shown(header)}${what}; expected one at least of ${shown(fields)}`,
    {
      remedy:
        separator === undefined
          ? "correct the names in its first line, or the fields of the pipeline"
          : "separate its columns by commas",
    },
  );
}

const shownMost = 8;

function shown(names: readonly string[]): string {
  const more = names.length - shownMost;
  return `${names.slice(0, shownMost).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
