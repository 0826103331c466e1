// What is written in a device's weir.yaml: how it is read, what is told where it is wrong, and what editors are told.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { defaultSettings, withConnections, withFile } from "./settings.ts";
import { deviceJsonSchema } from "./settings-schema.ts";

function read(text: string): ReturnType<typeof withFile> {
  return withFile(defaultSettings({}), "weir.yaml", text, { variables: {}, file: () => null });
}

it("takes a connection's address alone for its url", () => {
  const short = read("nats: { cloud: nats://cloud:4222 }");
  expect(short.diagnostics).toEqual([]);
  expect(short.settings.connections["cloud"]).toEqual({ url: "nats://cloud:4222" });
  expect(read("nats: { cloud: { url: nats://cloud:4222 } }").settings).toEqual(short.settings);
});

it("tells what is wrong in one that is written out, and which setting was meant", () => {
  const { diagnostics } = read("nats: { cloud: { url: nats://cloud:4222, pasword: x } }");
  expect(diagnostics).toMatchObject([
    { line: 1, column: 42, message: "unknown setting pasword", hint: "did you mean password?" },
  ]);
  expect(read("nats: { cloud: 5 }").diagnostics).toMatchObject([
    { message: "expected text or a map, got 5" },
  ]);
});

it("tells every mistake in words, in the order of the file", () => {
  const text =
    "threds: 2\nhost: a b\ncommit: 1ms\ndevice: { labels: { Site: x }, capacity: { memory: 12 } }\n";
  const told = read(text).diagnostics.map(({ line, message, hint }) => `${line}: ${message}; ${hint ?? ""}`);
  expect(told).toEqual([
    "1: unknown setting threds; did you mean threads?",
    "2: expected letters, digits, - and _, at most 64; ",
    expect.stringMatching(/^3: expected \d+ms to \d+s; $/),
    "4: Site cannot be a name here; expected lower-case letters, digits, - and _, at most 64",
    "4: expected text, got 12; write it like 64KiB or 1MB",
  ]);
});

it("tells an address that is none, and only that a variable is not set where one is", () => {
  const text =
    'nats:\n  a: http://edge:4222\n  b: { url: ["nats://b:1", "nats://user:secret@b:99999"] }\n  c: nats://${NOPE}:4222\n';
  const told = read(text).diagnostics.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  const expected = "expected the address of a NATS server such as nats://127.0.0.1:4222";
  expect(told).toEqual([
    "4:13: the variable NOPE is not set",
    `2:6: ${expected}, got "http://edge:4222"`,
    `3:28: ${expected}, got "nats://***@b:99999"`,
  ]);
});

it("tells of credentials and a seed that are names of files, and shows neither", () => {
  const text = `nats:
  a: { url: nats://a:4222, credentials: secrets/edge.creds }
  b: { url: nats://b:4222, nkey: edge.nk }
  c: { url: nats://c:4222, username: u }
`;
  const told = read(text).diagnostics.map(({ line, message, hint }) => `${line}: ${message}; ${hint ?? ""}`);
  expect(told).toEqual([
    "2: expected the text of a credentials file, not its name: write ${file:…} around that; ",
    expect.stringMatching(/^3: expected the seed of a user's nkey/),
    "4: unknown setting username; did you mean user?",
  ]);
});

/** Every setting in a schema, with where it stands. */
function settingsIn(schema: unknown, path = ""): readonly (readonly [string, Record<string, unknown>])[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, inner]) => {
    if (key !== "properties") return settingsIn(inner, path);
    return Object.entries(inner as Record<string, Record<string, unknown>>).flatMap(([name, setting]) => [
      [`${path}${name}`, setting] as const,
      ...settingsIn(setting, `${path}${name}.`),
    ]);
  });
}

it("tells editors of every setting what it is for", () => {
  const schema = deviceJsonSchema();
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  const settings = settingsIn(schema);
  expect(settings.map(([path]) => path)).toEqual(
    expect.arrayContaining([
      "threads",
      "nats.url",
      "nats.uplink.every",
      "outbox.bytes",
      "device.capacity.memory",
    ]),
  );
  const silent = settings.filter(([path, { description }]) => !path.startsWith("outbox.") && !description);
  expect(silent.map(([path]) => path)).toEqual([]);
});

it("finds the files that it names from its own folder on, and tells which they are", () => {
  const text = `nats:
  cloud:
    url: tls://hub:4222
    credentials: \${file:secrets/cloud.creds}
    tls: { ca: ca.pem, key: /etc/ssl/key.pem }
`;
  const surroundings = { variables: {}, file: (path: string) => `--- of ${path} ---` };
  const { settings, diagnostics } = withFile(defaultSettings({}), "/etc/weir/weir.yaml", text, surroundings);
  expect(diagnostics).toEqual([]);
  expect(settings.connections["cloud"]).toEqual({
    url: "tls://hub:4222",
    credentials: "--- of /etc/weir/secrets/cloud.creds ---",
    tls: { ca: "/etc/weir/ca.pem", key: "/etc/ssl/key.pem" },
  });
  expect(settings.files).toEqual(["/etc/weir/secrets/cloud.creds", "/etc/weir/ca.pem", "/etc/ssl/key.pem"]);
});

it("reads the settings that the house ships", () => {
  for (const folder of ["compose", "kubernetes/overlays/edge", "kubernetes/overlays/cloud"]) {
    const file = join(import.meta.dirname, "../../deploy", folder, "weir.yaml");
    const text = readFileSync(file, "utf8");
    const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name!, "given"]);
    const surroundings = { variables: Object.fromEntries(names), file: () => null };
    expect(withFile(defaultSettings({}), file, text, surroundings).diagnostics).toEqual([]);
  }
});

it("tells no secret where one stands in the wrong place", () => {
  const variables = { A_TOKEN: "hunter2-very-secret" };
  const { diagnostics } = withFile(
    defaultSettings({}),
    "weir.yaml",
    "commit: ${A_TOKEN}\nthreads: ${A_TOKEN}\n",
    {
      variables,
      file: () => null,
    },
  );
  expect(diagnostics.map(({ message }) => message)).toEqual([
    'expected a duration such as 500ms, 10s, 1m30s or 2h, got "***"',
    'expected a number, got the text "***"',
  ]);
});

it("takes __proto__ on the command line for no name: what is meant by it is told when it is connected to", () => {
  const { connections } = withConnections(defaultSettings({}), ["__proto__=nats://a:1", "b=nats://b:1"]);
  expect(connections).toEqual({ default: { url: "__proto__=nats://a:1" }, b: { url: "nats://b:1" } });
});
