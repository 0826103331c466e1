// The folder of one run of the suite, for what its tests make once and share. Vitest calls it before the first test
// and after the last.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

export default function setup(): () => void {
  const folder = join(import.meta.dirname, "..", "..", ".weir", `suite-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.env["WEIR_SUITE_FOLDER"] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
