// weir control: the control centre of a fleet, until SIGTERM. What it keeps is in the buckets, so that it can end and begin
// anywhere, and two of them do no harm.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { sleep, wallClock } from "../clock.ts";
import { backOff } from "../connect/back-off.ts";
import { serverFault } from "../connect/server-fault.ts";
import { adviceOf, messageOf, WeirError } from "../errors.ts";
import { type LogFormat, makeLog } from "../log.ts";
import { formatDiagnostics } from "../pipeline/format-diagnostics.ts";
import { ControlCentre, type ControlOptions } from "../supervisor/control-centre.ts";
import { openPolicy, type Policy } from "../supervisor/control-policy.ts";
import { Connections } from "../worker/connections.ts";
import type { ConnectionOptions } from "./apply.ts";
import { settingsFor } from "./device-settings.ts";
import { version } from "./options.ts";
import { readPolicy } from "./policy-file.ts";

export interface ControlCommandOptions extends ConnectionOptions {
  readonly policy?: string;
  readonly log?: LogFormat;
}

function policyIn(file: string | undefined): Policy {
  if (file === undefined) return openPolicy;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new WeirError("WEIR_FILE", `cannot read ${file}: ${messageOf(cause)}`, {
      remedy: "name the policy's file; without --policy everybody may deploy everything",
      cause,
    });
  }
  const { policy, diagnostics } = readPolicy(file, text);
  if (diagnostics.length === 0) return policy;
  const shown = formatDiagnostics(diagnostics, { [file]: text }, { color: false });
  throw new WeirError("WEIR_CONFIG", `${file} is wrong\n${shown}`);
}

/** Opens what there is to look into, as soon as the server lets it: one that has just begun may have no leader for its streams yet. */
async function opened(
  options: Omit<ControlOptions, "id">,
  connection: string,
  stopped: Promise<null>,
): Promise<ControlCentre | null> {
  const id = randomUUID().slice(0, 8);
  const { log, clock, policy } = options;
  let told = "";
  for (let attempt = 0; ; attempt++) {
    try {
      const centre = await Promise.race([ControlCentre.open({ ...options, id }), stopped]);
      if (centre !== null)
        log.info(`control centre ${id} answers; what is silent for ${policy.lost_after / 1_000} s is lost`);
      return centre;
    } catch (error) {
      const fault = serverFault(error, connection);
      if (!(fault instanceof WeirError)) throw fault;
      const reason = adviceOf(fault);
      if (reason !== told) log.warn(`${reason}; trying again for ever`);
      told = reason;
    }
    if ((await Promise.race([sleep(clock, backOff(attempt, Math.random())), stopped])) === null) return null;
  }
}

export async function control(options: ControlCommandOptions): Promise<number> {
  const policy = policyIn(options.policy);
  const log = makeLog(options.log ?? (process.stderr.isTTY ? "text" : "json"));
  const connections = new Connections(settingsFor(options).connections, log, wallClock);
  const ended = new Promise<null>((done) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => done(null));
  });
  // It can be ended while it waits for its server.
  const link = await Promise.race([connections.link(options.to), ended]);
  const centre =
    link === null ? null : await opened({ link, policy, version, clock: wallClock, log }, options.to, ended);
  centre?.start();
  await ended;
  await centre?.close();
  await connections.close();
  return 0;
}
