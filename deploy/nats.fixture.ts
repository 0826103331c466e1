// The shipped nats-server configurations, started for tests: copies of them with free ports, passwords of the test's, and what
// the servers say.

import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findNatsServer, missingServerMessage } from "../runtime/connect/nats-server.ts";
import { freePort } from "./compose.fixture.ts";

/** Who is in the files; "" is weir on the edge. */
const users = [
  "",
  "ADMIN_",
  "ADA_",
  "BOILER_1_",
  "BOILER_2_",
  "CLOUD_",
  "CONTROL_",
  "GATEWAY_1_",
  "GATEWAY_2_",
];

export const secrets: Readonly<Record<string, string>> = Object.fromEntries(
  [...users, "LEAF_1_"].map((name) => [
    `WEIR_${name}PASSWORD`,
    // A server reads what an environment variable holds as it reads its file: a word without quotes.
    `secret-${name.toLowerCase()}of-a-test`,
  ]),
);
export const password = (name: string): string => secrets[`WEIR_${name}PASSWORD`] ?? "";

/** A copy of the configurations, each port replaced by a free one; by the port in the file, the port. */
export async function copyWithPorts(
  folder: string,
  name: string,
): Promise<{ folder: string; port: (written: number) => number }> {
  const copy = join(folder, name);
  cpSync(join(import.meta.dirname, "nats"), copy, { recursive: true });
  const ports = new Map<number, number>();
  for (const written of [4222, 1883, 8222, 7422]) ports.set(written, await freePort());
  for (const file of ["edge.conf", "hub.conf", "hub-leaf.conf", "hub-one-machine.conf"]) {
    const text = readFileSync(join(copy, file), "utf8").replace(
      /"(127\.0\.0\.1|0\.0\.0\.0):(\d+)"/g,
      (_all, _address, written: string) => `"127.0.0.1:${ports.get(Number(written))}"`,
    );
    writeFileSync(join(copy, file), text);
  }
  return { folder: copy, port: (written) => ports.get(written) ?? 0 };
}

export interface Served {
  /** All that it has said. */
  log(): string;
  kill(): Promise<void>;
}

/** Starts a nats-server with a configuration and waits until it says that it is ready. */
export async function serve(config: string, more: Readonly<Record<string, string>>): Promise<Served> {
  const command = await findNatsServer(process.env);
  if (command?.kind !== "binary") throw new Error(missingServerMessage(process.platform));
  const env = { ...process.env, ...secrets, ...more };
  const server = spawn(command.path, ["-c", config], { env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  await new Promise<void>((resolve, reject) => {
    server.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes("Server is ready")) resolve();
    });
    server.once("exit", () => reject(new Error(`${config} did not start:\n${log}`)));
  });
  return { log: () => log, kill: () => kill(server) };
}

async function kill(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGKILL");
  await gone;
}
