import { expect, test } from "vitest";
import { deviceReference } from "./settings-reference.ts";
import { defaultSettings, withFile } from "./settings.ts";

test("what the reference shows of a weir.yaml is right", () => {
  const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(deviceReference()) ?? [];
  const surroundings = { variables: {}, file: () => "--- creds ---" };
  const { settings, diagnostics } = withFile(defaultSettings({}), "weir.yaml", yaml, surroundings);
  expect(diagnostics).toEqual([]);
  expect(settings.connections["cloud"]).toMatchObject({
    credentials: "--- creds ---",
    uplink: { bytes: 50 * 1024 ** 2, every: 86_400_000 },
  });
});

test("every setting has its row", () => {
  const names = [...deviceReference().matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      "nats",
      "state",
      "url",
      "credentials",
      "uplink",
      "bytes",
      "ca",
      "labels",
      "memory",
    ]),
  );
});
