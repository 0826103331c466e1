// Builds the JSON kernel: assembly/*.ts to build/kernel.wasm at the root. Runs without arguments, and does nothing
// when the output was made from these very sources.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import compiler from "assemblyscript/asc";

const sources = fileURLToPath(new URL("./assembly/", import.meta.url));
const output = fileURLToPath(new URL("../../../build/", import.meta.url));

const options = ["--optimizeLevel", "3", "--shrinkLevel", "0", "--converge", "--noAssert"].concat([
  "--enable",
  "simd",
  "--runtime",
  "stub",
  "--use",
  "abort=",
  "--initialMemory",
  "2",
]);

function digest() {
  const hash = createHash("sha256").update(compiler.version).update(options.join(" "));
  for (const name of readdirSync(sources).sort()) hash.update(name).update(readFileSync(sources + name));
  return hash.digest("hex");
}

function built() {
  try {
    readFileSync(`${output}kernel.wasm`);
    return readFileSync(`${output}kernel.sha256`, "utf8");
  } catch {
    return "";
  }
}

const wanted = digest();
if (built() !== wanted) {
  const arguments_ = ["index.ts", "--baseDir", sources, "--outFile", "kernel.wasm", ...options];
  const result = await compiler.main(arguments_, {
    stdout: process.stdout,
    stderr: process.stderr,
    writeFile: (name, contents) => {
      mkdirSync(output, { recursive: true });
      writeFileSync(output + name, contents);
    },
  });
  if (result.error) process.exitCode = 1;
  else writeFileSync(`${output}kernel.sha256`, wanted);
}
