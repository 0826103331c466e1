// Whatever starts weir in a container gives it a name that stays: by its own, a new one each time, each start would be another
// device with other subjects. Units of systemd need none: what they start is called as the machine is.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { checkHost } from "../runtime/cli/host-name.ts";
import { parseUnit } from "./units.fixture.ts";

const read = (...path: readonly string[]): string => readFileSync(join(import.meta.dirname, ...path), "utf8");

/** Commands whose host is in subjects. */
const named = /(^|\s)(supervise|run|worker) /;

it("in quadlets it is the machine's", () => {
  const containers = readdirSync(join(import.meta.dirname, "quadlet")).filter((name) =>
    name.endsWith(".container"),
  );
  const started = containers.flatMap((name) => {
    const { Container: container = {} } = parseUnit(read("quadlet", name));
    return named.test(container["Exec"]?.[0] ?? "") ? [container] : [];
  });
  expect(started).toHaveLength(1);
  // By systemd's specifier. It may have dots and capitals, which --host of weir refuses, and a host name may not.
  for (const { PodmanArgs: [options = ""] = [] } of started) expect(options).toMatch(/--hostname=%H(\s|$)/);
});

it("in the compose file it is that of the user in the cloud", () => {
  const { services } = parse(read("compose.yaml"), { merge: true }) as {
    readonly services: Readonly<Record<string, { readonly command: readonly string[] }>>;
  };
  const commands = Object.values(services).filter(({ command }) => named.test(command.join(" ")));
  expect(commands).toHaveLength(1);
  const { nats } = parse(read("compose", "weir.yaml")) as { nats: { cloud: { user: string } } };
  for (const { command } of commands) expect(command[command.indexOf("--host") + 1]).toBe(nats.cloud.user);
});

it.each(readdirSync(join(import.meta.dirname, "kubernetes/overlays")))(
  "in the overlay %s it stands in weir.yaml",
  (overlay) => {
    const { host = "" } = parse(read("kubernetes/overlays", overlay, "weir.yaml")) as { host?: string };
    expect(() => checkHost(host)).not.toThrow();
  },
);

it("in the runbook it is given by hand", () => {
  const commands = read("README.md").replaceAll("\\\n", " ").split("\n");
  const started = commands.filter((line) => line.startsWith("podman run ") && named.test(line.slice(11)));
  expect(started).toHaveLength(1);
  for (const command of started) expect(command).toContain('--hostname "$(uname -n)"');
});
