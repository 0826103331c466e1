// Names of hosts, workers and the like on the command line: what they may hold, and what this machine is called.

import { hostname } from "node:os";
import { WeirError } from "../errors.ts";
import { fleet } from "../supervisor/control-subjects.ts";

/** This machine's name as a token of a subject. */
export function hostToken(name: string = hostname()): string {
  const token = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .slice(0, 64);
  return token === "" ? "host" : token;
}

/** Throws where the name can be none of a host; `fleet` stands for all of them. */
export function checkHost(host: string): void {
  checkNames({ host });
  if (host !== fleet) return;
  throw new WeirError(
    "WEIR_USAGE",
    `no host can be called ${fleet}: that is where what names no host is wanted`,
    {
      remedy: "call it otherwise: --host, or host: in weir.yaml",
    },
  );
}

/** Throws for an option whose text could be anything but a name. */
export function checkNames(options: Readonly<Record<string, string>>): void {
  for (const [option, text] of Object.entries(options)) checkName(text, `--${option} `);
}

/** Throws for an argument that could be anything but the name of a pipeline. */
export function checkPipeline(name: string): void {
  checkName(name, "");
}

function checkName(text: string, before: string): void {
  if (/^[a-z0-9_-]{1,64}$/.test(text)) return;
  throw new WeirError("WEIR_USAGE", `${before}${JSON.stringify(text)} is no name`, {
    remedy: "lower-case letters, digits, - and _, at most 64",
  });
}
