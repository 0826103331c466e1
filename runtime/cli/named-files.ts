// The files that a pipeline names and that do not go along with it: operators of one's own, tables, schemas. Reads none of them.

import { dirname, resolve } from "node:path";
import { readDocument } from "../pipeline/document.ts";
import { warn } from "./terminal.ts";

function namedIn(value: unknown, under = ""): readonly string[] {
  if (typeof value === "string")
    return ["use", "file of table", "file of proto"].includes(under) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((each) => namedIn(each, under));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    namedIn(each, key === "file" ? `file of ${under}` : key),
  );
}

/** Each once, as the pipeline writes it. */
export function filesNamedIn(file: string, text: string): readonly string[] {
  return [...new Set(namedIn(readDocument(file, text).document?.value))];
}

/**
 * Says which files a device has to have for a pipeline that is sent to it: by their paths there, or where those begin at a folder of
 * the device's own, as they are written.
 */
export function warnOfNamedFiles(name: string, file: string, text: string, pathsGoAlong: boolean): void {
  const named = filesNamedIn(file, text);
  const paths = pathsGoAlong ? named.map((each) => resolve(dirname(file), each)) : named;
  if (paths.length > 0)
    warn(`${name}: these do not go along, the device reads files of its own: ${paths.join(", ")}`);
}
