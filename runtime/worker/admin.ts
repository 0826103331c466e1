// The same door for questions on an address of the network, for those who look after workers: probes and metrics.
// Closed unless it is asked for; it answers and never changes anything.

import type { AddressInfo } from "node:net";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type Answers, type Control, serving } from "./control.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9090`, `[::1]:9090`, or a port of this machine alone; null for `0`, which is none. */
export function parseAddress(text: string): Address | null {
  if (text === "0") return null;
  const [, bracketed, plain, digits] = /^(?:(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535)
    throw new WeirError("WEIR_USAGE", `${text} is no address to listen on`, {
      remedy: "127.0.0.1:9090, say; 0 for none",
    });
  return { host: bracketed ?? plain ?? "127.0.0.1", port };
}

/** Listens there; `path` of what it answers is the address, with the port that was free where none was named. */
export async function openAdmin(address: Address, answers: Answers): Promise<Control> {
  const server = serving(answers);
  server.maxConnections = limits.admin_connections_max;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new WeirError("WEIR_USAGE", `cannot listen on ${address.host}:${address.port}: ${messageOf(error)}`, {
          remedy: "name another address with --admin, or 0 for none",
        }),
      ),
    );
    server.listen(address.port, address.host, resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    path: `${address.host.includes(":") ? `[${address.host}]` : address.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
