// Streams in files, so that every engine reads the same bytes. Makes what is missing, once.

import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Workload } from "../side-by-side/workload.ts";

const folder: string = fileURLToPath(new URL("../../.weir/bench/", import.meta.url));
const chunk_bytes = 1 << 20;

/** The file with the first `records` records of a workload. */
export function streamFile({ suite, name, stream }: Workload, records: number): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${suite}-${name}-${records}.ndjson`);
  if (existsSync(file)) return file;
  const unfinished = `${file}.${process.pid}`;
  const handle = openSync(unfinished, "w");
  let chunk = "";
  for (const record of stream(records)) {
    chunk += `${record}\n`;
    if (chunk.length < chunk_bytes) continue;
    writeSync(handle, chunk);
    chunk = "";
  }
  writeSync(handle, chunk);
  closeSync(handle);
  renameSync(unfinished, file);
  return file;
}
