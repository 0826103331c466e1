// ${VAR}, ${VAR:-default} and ${file:path} in the scalar values of a document, once it is parsed: what
// is put in is never read as YAML and never looked into again. Variables and files come in as
// arguments; nothing here reads the environment or a file.

import { isScalar, type Scalar } from "yaml";
import { nearName } from "../expression/near-name.ts";
import { limits } from "../limits.ts";
import type { ConfigDocument } from "./document.ts";
import type { Diagnostic } from "./pipeline.ts";

export interface Surroundings {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The text of a file named by `${file:path}`; null when there is none that may be read. */
  readonly file: (path: string) => string | null;
}

export interface Interpolated {
  readonly document: ConfigDocument;
  readonly diagnostics: readonly Diagnostic[];
  /** Values that must not be shown: of files, and of variables whose name says so. */
  readonly secrets: readonly string[];
}

/** A brace inside ends the attempt, so that a text of nothing but `${` is read once and not from each. */
const reference = /\$\$\{|\$\{([^{}\n]*)\}|\$\{/g;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const secretName =
  /pass|secret|token|credential|creds|private|apikey|(?:^|_)(?:key|auth|seed|nkey|jwt)(?:_|$)/i;

/** The document with every reference replaced. `$${` stands for `${`. */
export function interpolate(document: ConfigDocument, surroundings: Surroundings): Interpolated {
  const diagnostics: Diagnostic[] = [];
  const secrets = new Map<Scalar, readonly string[]>();
  const replaced = new Map<Scalar, unknown>();
  let bytes = 0;
  for (const scalar of document.scalars()) {
    if (typeof scalar.value !== "string" || !scalar.value.includes("${")) continue;
    const fault = (text: string, message: string, hint: string): void => {
      if (diagnostics.length > limits.config_diagnostics_max) return;
      diagnostics.push(document.diagnostic(spanOfReference(document, scalar, text), message, hint));
    };
    const hidden = new Set<string>();
    const text = replaceIn(scalar.value, surroundings, hidden, fault);
    if (hidden.size > 0) secrets.set(scalar, [...hidden]);
    const length = Buffer.byteLength(text);
    bytes += length;
    if (length > limits.interpolated_value_bytes_max) {
      fault(
        scalar.value,
        `the value is longer than ${limits.interpolated_value_bytes_max} bytes`,
        "shorten it",
      );
    } else if (bytes > limits.config_bytes_max) {
      fault(
        scalar.value,
        `all values together are longer than ${limits.config_bytes_max} bytes`,
        "shorten them",
      );
      break;
    } else {
      replaced.set(scalar, scalar.type === "PLAIN" ? plainValue(text) : text);
    }
  }
  const all = [...new Set([...secrets.values()].flat())];
  return { document: document.replacing(replaced, secrets), diagnostics, secrets: all };
}

function replaceIn(
  value: string,
  { variables, file }: Surroundings,
  secrets: Set<string>,
  fault: (text: string, message: string, hint: string) => void,
): string {
  return value.replace(reference, (whole: string, inner: string | undefined) => {
    if (whole === "$${") return "${";
    if (inner === undefined) {
      fault(
        whole,
        "${ without its }",
        "write ${NAME}, none inside another; $${ for the characters themselves",
      );
      return whole;
    }
    if (inner.startsWith("file:")) {
      const content = file(inner.slice("file:".length));
      if (content === null) {
        fault(
          whole,
          `there is no file ${inner.slice("file:".length)} that may be read`,
          "check the path and its folder",
        );
        return "";
      }
      // Editors end a file with a line break that is no part of what it holds.
      const text = content.replace(/\r?\n$/, "");
      if (text !== "") secrets.add(text);
      return text;
    }
    const [, name = "", fallback] = /^([^:]*)(?::-([\s\S]*))?$/.exec(inner) ?? [];
    if (!variableName.test(name)) {
      fault(
        whole,
        `${whole} is not a reference`,
        "write ${NAME}, ${NAME:-default} or ${file:path}; $${ for the characters themselves",
      );
      return "";
    }
    const found = Object.hasOwn(variables, name) ? variables[name] : undefined;
    // As in a shell, `:-` stands in for an empty value too.
    const text = fallback !== undefined && (found === undefined || found === "") ? fallback : found;
    if (text === undefined) {
      const near = nearName(name, Object.keys(variables));
      fault(
        whole,
        `the variable ${name} is not set`,
        near === undefined ? `set it, or write \${${name}:-default}` : `did you mean ${near}?`,
      );
      return "";
    }
    if (text !== "" && found === text && secretName.test(name)) secrets.add(text);
    return text;
  });
}

/**
 * An unquoted value becomes a number or a truth value where that is the only way to write it: `100`
 * and `true`, but not `007` or `1e3`, which stay text. A quoted value always stays text.
 */
function plainValue(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return text !== "" && Number.isFinite(number) && String(number) === text ? number : text;
}

function spanOfReference(
  document: ConfigDocument,
  scalar: Scalar,
  text: string,
): { start: number; end: number } {
  const [start, end] = isScalar(scalar) && scalar.range ? scalar.range : [0, 1];
  const found = document.text.indexOf(text, start);
  return found >= 0 && found < end ? { start: found, end: found + text.length } : { start, end };
}
