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
  const separator = otherSeparator(line, header);
  const what = separator === null ? "" : `, separated by ${separator}`;
  throw new WeirError(
    "WEIR_FILE",
    `${path} has the columns ${shown(header)}${what}; expected one at least of ${shown(fields)}`,
    {
      remedy:
        separator === null
          ? "correct the names in its first line, or the fields of the pipeline"
          : "separate its columns by commas",
    },
  );
}

/** What separates the columns of a first line that has only one by commas, in words; null where nothing does. */
export function otherSeparator(line: string | null, header: readonly string[]): string | null {
  if (header.length > 1) return null;
  return otherSeparators.find(([sign]) => line?.includes(sign))?.[1] ?? null;
}

const shownMost = 8;

function shown(names: readonly string[]): string {
  const more = names.length - shownMost;
  return `${names.slice(0, shownMost).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
