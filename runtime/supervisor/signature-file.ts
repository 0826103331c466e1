// The signature beside a pipeline file: FILE.sig, where `weir sign` writes it and whoever takes the file looks for it. Judges
// nothing: what stands there may be anything.

import { writeFileSync } from "node:fs";
import { readBounded } from "../bounded-file.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Signature } from "./signature.ts";

export function signaturePath(file: string): string {
  return `${file}.sig`;
}

/** What stands beside a file; its text where that is no JSON; undefined where there is nothing. */
export function signatureBeside(file: string): unknown {
  const path = signaturePath(file);
  let text: string;
  try {
    text = readBounded(path, limits.signature_bytes_max).toString("utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    // There is one all the same, and it is no good.
    return `${path} cannot be read: ${messageOf(error)}`;
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function writeSignature(file: string, signature: Signature): void {
  const path = signaturePath(file);
  try {
    writeFileSync(path, `${JSON.stringify(signature, null, 2)}\n`);
  } catch (error) {
    throw new WeirError("WEIR_FILE", `${path} cannot be written: ${messageOf(error)}`, {
      remedy: "sign where this user may write, and take both files along",
      cause: error,
    });
  }
}
