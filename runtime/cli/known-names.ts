// Names on the command line that nothing is called by: told with what is known, and the name that was probably meant.

import type { NatsLink } from "../connect/nats-connection.ts";
import { messageOf, WeirError } from "../errors.ts";
import { didYouMean } from "../pipeline/nearest.ts";
import { DeviceBucket } from "../supervisor/device-bucket.ts";
import { warn } from "./terminal.ts";

/** So many names are listed. */
const shownMost = 12;

/** "did you mean boiler? there are: boiler, doors". */
function knownText(name: string, known: readonly string[]): string {
  if (known.length === 0) return "there is none";
  const near = didYouMean(name, known);
  const meant = near?.startsWith("did you mean") === true ? `${near} ` : "";
  const more = known.length > shownMost ? `, and ${known.length - shownMost} more` : "";
  return `${meant}there are: ${known.slice(0, shownMost).join(", ")}${more}`;
}

/** Refuses names of an option that none of the files is called by. */
export function checkNames(option: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new WeirError("WEIR_USAGE", `${option} ${unknown}: none of the pipelines is called so`, {
    remedy: knownText(unknown, known),
  });
}

export function checkForget(forget: readonly string[], known: readonly string[]): void {
  checkNames("--forget", forget, known);
}

/** Refuses a name of a pipeline that was never wanted of a host. */
export function neverWanted(name: string, host: string, known: readonly string[]): WeirError {
  return new WeirError("WEIR_USAGE", `no pipeline ${name} was ever wanted of ${host}`, {
    remedy:
      known.length === 0 ? `nothing is wanted of ${host}: --host names another` : knownText(name, known),
  });
}

/**
 * Warns where no device of that name has ever been there. What is wanted of one may be told before it is there for the
 * first time, so that it is no mistake by itself.
 */
export async function warnOfStranger(link: NatsLink, host: string): Promise<void> {
  let known: readonly string[];
  try {
    known = ((await (await DeviceBucket.look(link))?.all()) ?? []).map(({ device }) => device.id);
  } catch (error) {
    // Who may want something of a host may not be allowed to read the registry.
    warn(`whether there is a host ${host} cannot be told: ${messageOf(error)}`);
    return;
  }
  if (known.includes(host)) return;
  const others = known.length === 0 ? "nor any other" : knownText(host, known);
  warn(`no device ${host} has ever been there; it is told when it comes (${others})`);
}
