// Prints a file of passwords for the shipped nats-server configurations and what connects to them, each drawn anew.
// Never writes a file and never reads one: who redirects it decides where secrets lie, and who may read them.
//
//     (umask 077; node deploy/secrets.ts > deploy/.env)

import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The variables for passwords that configurations refer to. */
export function passwordNames(configurations: readonly string[]): readonly string[] {
  const found = configurations.flatMap((text) => [...text.matchAll(/password: \$(WEIR_\w*PASSWORD)\b/g)]);
  return [...new Set(found.map(([, name = ""]) => name))].sort();
}

/** A line for each; a letter first, because a nats-server would read digits as a number. */
export function secretLines(names: readonly string[], random: (bytes: number) => Buffer): string {
  return names.map((name) => `${name}=w${random(16).toString("hex")}\n`).join("");
}

if (import.meta.main) {
  const folder = join(import.meta.dirname, "nats");
  const configurations = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  process.stdout.write(secretLines(passwordNames(configurations), randomBytes));
}
