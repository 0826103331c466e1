// Ways from a device to its cloud that can be cut, for tests: a cable that ends connections, and a network of its own for the
// device, whose link goes dead without a word. Each gives the addresses under which the device finds cloud and edge server.

import { spawnSync } from "node:child_process";
import { createServer, connect, type Server } from "node:net";
import { Cable } from "../testing/cable.ts";

export interface Way {
  readonly cloud: string;
  readonly edge: string;
  /** What programs of the device are started by. */
  readonly through: readonly string[];
  cut(): void;
  mend(): void;
  close(): Promise<void> | void;
}

export type MakeWay = (device: number, cloudPort: number, edgePort: number) => Promise<Way>;

export const byCable: MakeWay = async (_, cloudPort, edgePort) => {
  const cable = await Cable.to(cloudPort);
  return {
    cloud: `nats://127.0.0.1:${cable.port}`,
    edge: `nats://127.0.0.1:${edgePort}`,
    through: [],
    cut: () => cable.cut(),
    mend: () => cable.mend(),
    close: () => cable.close(),
  };
};

function ip(...args: readonly string[]): boolean {
  return spawnSync("ip", args).status === 0;
}

/** True where this machine lets us make network namespaces. */
export function hasNamespaces(): boolean {
  const name = `weir-try-${process.pid}`;
  const made = ip("netns", "add", name);
  if (made) ip("netns", "delete", name);
  return made && spawnSync("nsenter", ["--version"]).status === 0;
}

/** Listens on an address of this machine in the place of a server that listens on loopback only. */
async function relay(
  address: string,
  port: number,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((client) => {
    const there = connect(port, "127.0.0.1");
    client.pipe(there).pipe(client);
    for (const [one, other] of [
      [client, there],
      [there, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const bound = server.address();
  return { server, port: typeof bound === "object" && bound !== null ? bound.port : 0 };
}

/** A namespace with a link to the cloud, which is cut by taking it down, and one to the edge server, which stays. */
export const byNamespace: MakeWay = async (device, cloudPort, edgePort) => {
  const name = `weir${process.pid % 100_000}-${device}`;
  const net = (kind: number): string => `10.${(process.pid % 200) + 20}.${2 * device + kind}`;
  ip("netns", "add", name);
  for (const [kind, end] of ["u", "e"].entries()) {
    ip("link", "add", `${name}${end}`, "type", "veth", "peer", "name", `in${end}`, "netns", name);
    ip("address", "add", `${net(kind)}.1/24`, "dev", `${name}${end}`);
    ip("link", "set", `${name}${end}`, "up");
    ip("-n", name, "address", "add", `${net(kind)}.2/24`, "dev", `in${end}`);
    ip("-n", name, "link", "set", `in${end}`, "up");
  }
  ip("-n", name, "link", "set", "lo", "up");
  const cloud = await relay(`${net(0)}.1`, cloudPort);
  const edge = await relay(`${net(1)}.1`, edgePort);
  return {
    cloud: `nats://${net(0)}.1:${cloud.port}`,
    edge: `nats://${net(1)}.1:${edge.port}`,
    through: ["nsenter", `--net=/run/netns/${name}`],
    cut: () => void ip("link", "set", `${name}u`, "down"),
    mend: () => void ip("link", "set", `${name}u`, "up"),
    close() {
      cloud.server.close();
      edge.server.close();
      ip("netns", "delete", name);
    },
  };
};
