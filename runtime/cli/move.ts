// weir move: has a pipeline of the fleet, or some of its partitions, run on another device. Asks the control centre; decides
// nothing.

import { askService } from "../connect/service.ts";
import { WeirError } from "../errors.ts";
import { isInstanceName } from "../instance.ts";
import { moveSubject } from "../supervisor/control-subjects.ts";
import type { Moved, MoveRequest } from "../supervisor/moving.ts";
import { type ConnectionOptions, withLink } from "./apply.ts";
import { defaultUser } from "./devices.ts";
import { checkHost, checkNames } from "./host-name.ts";
import { print, warn } from "./terminal.ts";

export interface MoveOptions extends ConnectionOptions {
  readonly host?: string;
  readonly spread?: boolean;
  readonly user?: string;
  readonly json?: boolean;
}

/** 1 where something of it stays where it is. */
export async function move(name: string, options: MoveOptions): Promise<number> {
  const { user = defaultUser(options), json = false } = options;
  checkNames({ user });
  const request = requestOf(name, options);
  const answer = (await withLink(options, (link) => askService(link, moveSubject(user), request))) as Moved;
  if (json) print(JSON.stringify(answer));
  else tell(name, answer);
  return answer.refused.length > 0 ? 1 : 0;
}

function requestOf(pipeline: string, { host, spread = false }: MoveOptions): MoveRequest {
  if (!isInstanceName(pipeline))
    throw new WeirError("WEIR_USAGE", `${JSON.stringify(pipeline)} is no name of a pipeline`, {
      remedy: "name one as it is wanted of the fleet: boiler, or boiler~3 for one partition of it",
    });
  if ((host === undefined) !== spread)
    throw new WeirError("WEIR_USAGE", `where ${pipeline} is to go is not said`, {
      remedy: "--host gateway-7, or --spread to share its partitions among all devices that fit",
    });
  if (host !== undefined) checkHost(host);
  return { pipeline, host: host ?? null };
}

function tell(name: string, { moved, refused }: Moved): void {
  for (const { name: each, from, to, carries } of moved) {
    const along = carries === true ? ", with what it keeps" : "";
    print(`${each} goes from ${from ?? "nowhere"} to ${to}${along}`);
  }
  for (const { name: each, reason } of refused) warn(`${each} stays: ${reason}`);
  if (moved.length + refused.length === 0) print(`${name} is there already`);
}
