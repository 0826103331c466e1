// Reading one part of the document with its spec, and reporting what is wrong with it. The other parts
// are read all the same, so that every mistake is told at once.

import type { z } from "zod";
import type { ConfigDocument, Span } from "./document.ts";
import type { ExpressionFault } from "../expression/expression.ts";
import { nearName } from "../expression/near-name.ts";
import { placedMessage } from "../operator-place.ts";
import { splitFault } from "./binding.ts";
import { diagnosticsOf } from "./issue.ts";
import type { Diagnostic, Path } from "./pipeline.ts";
import { noProtos, type ProtoFiles } from "./proto-files.ts";
import { looksLikeTopic, type SubjectRole, subjectFault, subjectOfTopic } from "./subject.ts";

/** Collects the mistakes of one document. */
export class Reader {
  readonly document: ConfigDocument;
  readonly diagnostics: Diagnostic[] = [];
  readonly protos: ProtoFiles;

  constructor(document: ConfigDocument, protos: ProtoFiles = noProtos) {
    this.document = document;
    this.protos = protos;
  }

  /** The value at `path` as `schema` parses it; undefined, and reported, when it is refused. */
  parse<T extends z.ZodType>(schema: T, path: Path): z.output<T> | undefined {
    let answer: z.ZodSafeParseResult<z.output<T>>;
    try {
      answer = schema.safeParse(this.document.valueAt(path));
    } catch (thrown) {
      // Only a spec with code of its own in it, an operator's, can do so.
      this.fault(
        path,
        `these settings could not be read: ${placedMessage(thrown)}`,
        "this is a fault of the operator",
      );
      return undefined;
    }
    if (answer.success) return answer.data;
    this.diagnostics.push(...diagnosticsOf(answer.error.issues, path, schema, this.document));
    return undefined;
  }

  /** How many mistakes there are so far; warnings are none. */
  get mistakes(): number {
    return this.diagnostics.filter(({ severity }) => severity === "error").length;
  }

  /** Reports a mistake in the value at `path`. */
  fault(path: Path, message: string, hint: string | null = null): void {
    this.at(this.document.spanOf(path), message, hint);
  }

  /** Reports that the file has no section `name`; one that is mistyped is an unknown setting, told where it stands. */
  missing(name: string, hint: string): void {
    const written = Object.keys(this.document.valueAt([]) ?? {});
    if (!written.some((key) => nearName(key, [name]) !== undefined))
      this.fault([], `${name} is missing`, hint);
  }

  /** Reports a mistake in the key at `path`. */
  keyFault(path: Path, message: string, hint: string | null = null): void {
    this.at(this.document.keySpanOf(path), message, hint);
  }

  at(span: Span, message: string, hint: string | null = null): void {
    this.diagnostics.push(this.document.diagnostic(span, message, hint));
  }

  /** Reports faults in the text at `path`, each where it stands. */
  faultsWithin(path: Path, faults: readonly ExpressionFault[]): void {
    for (const fault of faults) {
      const { message, hint } = splitFault(fault);
      const end = Math.max(fault.end, fault.start + 1);
      this.at(this.document.spanWithin(path, fault.start, end), message, hint);
    }
  }

  /** Checks a subject; false, and reported, when it is none. */
  subject(subject: string, role: SubjectRole, path: Path): boolean {
    const fault = subjectFault(subject, role);
    if (fault === null) {
      if (looksLikeTopic(subject)) this.#warnOfTopic(subject, path);
      return true;
    }
    this.at(this.document.spanWithin(path, fault.start, fault.end), fault.message, fault.hint);
    return false;
  }

  /** A subject may hold slashes, but one that does is nearly always a topic of MQTT. */
  #warnOfTopic(subject: string, path: Path): void {
    const message = "a subject's tokens are parted by dots, not slashes";
    const hint = `what devices publish to an MQTT topic of this name is the subject ${subjectOfTopic(subject)}`;
    this.diagnostics.push(this.document.diagnostic(this.document.spanOf(path), message, hint, "warning"));
  }
}

/** The only key of a map of which exactly one of `names` must be set; null, and reported, otherwise. */
export function onlyOne(
  reader: Reader,
  path: Path,
  settings: Readonly<Record<string, unknown>>,
  names: readonly string[],
): string | null {
  // In the order of the file, so that the later one is shown.
  const written = Object.keys(reader.document.valueAt(path) ?? {});
  const set = written.filter((name) => names.includes(name) && settings[name] !== undefined);
  if (set.length === 1) return set[0]!;
  const choice = `one of ${names.join(", ")}`;
  if (set.length === 0) reader.fault(path, `${String(path.at(-1))} needs ${choice}`, null);
  for (const name of set.slice(1))
    reader.keyFault([...path, name], `${name} stands beside ${set[0]}`, `keep ${choice}`);
  return null;
}
