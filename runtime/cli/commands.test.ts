// The commands as anybody runs them: processes with exit codes, standard output and standard error.
// Against real files and, where a command talks to NATS, a real nats-server.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../connect/nats-server.ts";
import { limits } from "../limits.ts";
import { type Ended, program, WeirProcesses } from "./weir-process.fixture.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "weir-commands-test-"));
const processes = new WeirProcesses(folder);
const weir = (...args: readonly string[]): Promise<Ended> => processes.weir(...args);
afterAll(() => {
  processes.kill();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

/** The lines that hold one JSON object each. */
function objects(text: string): readonly unknown[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as unknown);
}

/** What a shell's pipeline with `head -1` says, and at last the exit codes of both. */
function firstLineOf(command: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const script = `"${process.execPath}" "${program}" ${command} | head -n 1; echo "\${PIPESTATUS[@]}"`;
  return promisify(execFile)("bash", ["-c", script], { cwd: folder });
}

describe.concurrent("a reader that goes away", () => {
  // Each prints more than a pipe holds, so that it is still writing when nobody reads any more.
  it.each([
    `explain ${join(root, "pipelines")} ${join(root, "pipelines")} --json`,
    "docs --out -",
    "schema --out -",
  ])("is no fault of %s", async (command) => {
    const { stdout, stderr } = await firstLineOf(command);
    expect(stderr).toBe("");
    // 0 where the pipe took all of it before its reader went.
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^(141|0) 0$/);
  });

  it.each(["", "--state gone"])("ends a run whose rows go nowhere else %s", async (state) => {
    writeFileSync(
      join(folder, "gone.yaml"),
      "name: gone\nsource: { host: { every: 100ms } }\nsteps: [{ sink: { stdout: {}, format: json } }]\n",
    );
    const { stdout, stderr } = await firstLineOf(`run gone.yaml ${state}`);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("141 0");
    expect(stderr).toContain("nobody reads standard output any more: draining");
  });
});

describe.concurrent("help", () => {
  it("lists the commands", async () => {
    const { code, stdout } = await weir("--help");
    expect(code).toBe(0);
    for (const command of [
      "run",
      "lint",
      "test",
      "explain",
      "init",
      "feed",
      "demo",
      "schema",
      "docs",
      "completion",
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    }
  });

  it("suggests the command that was meant", async () => {
    const { code, stderr } = await weir("lnit");
    expect(code).toBe(64);
    expect(stderr).toMatch(/unknown command 'lnit'\n\(Did you mean (one of )?.*(lint|init)/);
  });

  it("says which argument is missing", async () => {
    const { code, stderr } = await weir("run");
    expect(code).toBe(64);
    expect(stderr).toContain("missing required argument 'file'");
  });
});

const wrong = `name: wrong
source:
  nats: { subjct: "a.>" }
  format: jsn
steps:
  - filtr: temp > 1
  - sink: { stdout: {}, format: json }
`;

describe.concurrent("lint", () => {
  it("tells every mistake at once, with its place and what was meant", async () => {
    const { code, stdout, stderr } = await weir("lint", file("wrong.yaml", wrong));
    expect(code).toBe(78);
    expect(stdout).toBe("");
    expect(stderr).toContain("wrong.yaml:3:11: error: unknown setting subjct");
    expect(stderr).toContain('  nats: { subjct: "a.>" }\n      |           ^^^^^^ did you mean subject?');
    expect(stderr).toContain("wrong.yaml:4:11: error");
    expect(stderr).toContain("did you mean json?");
    expect(stderr).toMatch(/wrong\.yaml:6:5: error: .*filtr\n(.*\n).*did you mean filter\?/);
  });

  it("tells the same as JSON", async () => {
    const { code, stdout, stderr } = await weir("lint", "--json", file("wrong-too.yaml", wrong));
    expect(code).toBe(78);
    expect(stderr).toBe("");
    const { ok, diagnostics } = JSON.parse(stdout) as { ok: boolean; diagnostics: { line: number }[] };
    expect(ok).toBe(false);
    expect(new Set(diagnostics.map(({ line }) => line))).toEqual(new Set([3, 4, 6]));
  });

  it("names the file that cannot be read, and what to do", async () => {
    const { code, stderr } = await weir("lint", "nowhere.yaml");
    expect(code).toBe(66);
    expect(stderr).toMatch(/there is no file nowhere\.yaml\n.*weir init/);
  });
});

/** A pipeline with two tables, one of them wrong. */
const tables = `name: tables
source: { file: { path: in.ndjson }, format: json }
steps:
  - lookup: { table: { file: devices.csv }, on: device, add: { site: string } }
  - lookup: { table: { kv: { bucket: limits, to: cloud } }, on: device, add: { limit: float64 } }
  - sink: { stdout: {}, format: json }
tests:
  - name: both tables
    lookups: { cloud/limits: { a: { limit: 4 } } }
    input: [{ device: a }]
    expect: { main: [{ device: a, site: north, limit: 4 }] }
`;

describe("tables of look-ups", () => {
  it("are checked, shown, and read by tests", async () => {
    const path = file("tables.yaml", tables);
    const missing = await weir("lint", path);
    expect(missing.code).toBe(78);
    expect(missing.stderr).toContain("tables.yaml:4:30: error: cannot read the table devices.csv");
    file("devices.csv", "device,site\na,north\na,south\n");
    const twice = await weir("lint", path);
    expect(twice.stderr).toContain(
      'tables.yaml:4:30: error: devices.csv:3: the key "a" stands in line 2 already',
    );
    file("devices.csv", "device,site\na,north\n");
    const [lint, test, explain] = await Promise.all([
      weir("lint", path),
      weir("test", path),
      weir("explain", path),
    ]);
    expect(lint).toMatchObject({ code: 0, stdout: "ok tables.yaml\n" });
    expect(lint.stderr).toContain("tables.yaml:5:38: warning: what bucket limits holds is not checked here");
    expect(test).toMatchObject({ code: 0, stderr: "" });
    expect(explain.stdout).toContain("table file devices.csv, by device");
    expect(explain.stdout).toContain("table kv cloud/limits, by device");
  });

  it("that a test gives no content, or under a wrong name", async () => {
    file("devices.csv", "device,site\na,north\n");
    const none = file(
      "no-content.yaml",
      tables.replace("lookups: { cloud/limits: { a: { limit: 4 } } }", ""),
    );
    const failed = await weir("test", none);
    expect(failed).toMatchObject({ code: 1 });
    expect(failed.stdout).toContain("the table cloud/limits has no content; give it some");
    const other = await weir("lint", file("other.yaml", tables.replace("cloud/limits:", "limits:")));
    expect(other.stderr).toMatch(/no step reads a table limits\n.*\n.*cloud\/limits/);
  });

  it("a pipeline that runs says what it has loaded", async () => {
    file("in.ndjson", '{"device":"a"}\n{"device":"b"}\n');
    const lines = tables.split("\n");
    const path = file(
      "one-table.yaml",
      [...lines.slice(0, 4), lines[5]].join("\n").replace("tables", "one-table"),
    );
    const { code, stdout, stderr } = await weir("run", path);
    expect(code).toBe(0);
    expect(objects(stdout)).toEqual([
      { device: "a", site: "north" },
      { device: "b", site: null },
    ]);
    expect(stderr).toContain("one-table: table devices.csv loaded: 1 rows");
    expect(stderr).toContain("table devices.csv: 1 rows, loaded 1 times, 0 refused");
  });
});

describe("init", () => {
  it("writes a pipeline that lints, whose test passes and whose plan can be told", async () => {
    const made = await weir("init", "first.yaml");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    const [lint, test, explain, again] = await Promise.all([
      weir("lint", "first.yaml"),
      weir("test", "first.yaml"),
      weir("explain", "first.yaml", "--json"),
      weir("init", "first.yaml"),
    ]);
    expect(lint).toMatchObject({ code: 0, stdout: "ok first.yaml\n", stderr: "" });
    expect(test).toMatchObject({ code: 0, stderr: "" });
    expect(test.stdout).toContain("1 passed, 0 failed");
    const [plan] = JSON.parse(explain.stdout) as {
      name: string;
      custom: boolean;
      guarantees: { durable: unknown[] };
    }[];
    expect(plan).toMatchObject({ name: "first-pipeline", custom: false });
    expect(plan!.guarantees.durable).toMatchObject([{ of: "main" }, { of: "dead letter" }]);
    expect(again.code).toBe(64);
    expect(again.stderr).toContain("--force");
  });
});

describe("test", () => {
  it("shows what differs from what was expected", async () => {
    await weir("init", "failing.yaml");
    const text = readFileSync(join(folder, "failing.yaml"), "utf8");
    file("failing.yaml", text.replace("mean: 21", "mean: 22"));
    const { code, stdout } = await weir("test", "failing.yaml");
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^failed failing\.yaml: a row per device and minute\n +main\[0\]\.mean: expected 22, got 21$/m,
    );
    expect(stdout).toContain("0 passed, 1 failed");
  });
});

describe.concurrent("a device's settings", () => {
  it("are checked by name, and where they lie beside pipelines", async () => {
    const site = join(folder, "site");
    mkdirSync(site);
    writeFileSync(join(site, "weir.yaml"), "threds: 2\n");
    const alone = await weir("lint", join(site, "weir.yaml"));
    expect(alone).toMatchObject({ code: 78, stdout: "" });
    expect(alone.stderr).toContain("weir.yaml:1:1: error: unknown setting threds");
    expect(alone.stderr).toContain("did you mean threads?");
    expect((await weir("lint", site)).stderr).toBe(alone.stderr);
    const [right, file] = [join(site, "right.yaml"), join(site, "gateway.conf")];
    writeFileSync(
      right,
      "name: right\nsource: { host: { every: 1s } }\nsteps:\n  - sink: { nothing: {}, format: json }\n",
    );
    writeFileSync(file, "threads: 2\n");
    const both = await weir("lint", right, "--config", file);
    expect(both).toMatchObject({ code: 0, stdout: `ok ${file}\nok ${right}\n` });
    const json = await weir("lint", site, "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      diagnostics: [{ line: 1, severity: "error" }],
    });
    const absent = await weir("lint", join(folder, "none", "weir.yaml"));
    expect(absent.stderr).toMatch(/^error: there is no .*weir\.yaml\n/);
  });

  it("have a schema of their own", async () => {
    const { code, stdout } = await weir("schema", "device", "--out", "-");
    expect({ code, schema: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      schema: { title: "weir device", properties: { threads: { type: "integer" } } },
    });
  });
});

describe.concurrent("what is generated", () => {
  it.each(["schema", "docs"])("%s is written, found fresh, and found stale", async (command) => {
    const out = join(folder, `generated-${command}`);
    expect(await weir(command, "--out", out)).toMatchObject({ code: 0, stdout: `wrote: ${out}\n` });
    expect(await weir(command, "--out", out, "--check")).toMatchObject({ code: 0 });
    writeFileSync(out, `${readFileSync(out, "utf8")} `);
    const stale = await weir(command, "--out", out, "--check");
    expect(stale).toMatchObject({ code: 1, stdout: `${out} is out of date\n` });
  });
});

interface Block {
  n: number;
  temperature: number;
  events: number;
  humidity: number[];
}

/** What recording.yaml makes of the recording, by another way. */
function expectedBlocks(): ReadonlyMap<string, Block> {
  const text = readFileSync(join(root, "pipelines/data/wireless-sensors.csv"), "utf8");
  const blocks = new Map<string, Block>();
  for (const line of text.trimEnd().split("\n").slice(1)) {
    const [reading, mote, , humidity, temperature, label] = line.split(",").map(Number);
    if (!(humidity! > 0)) continue;
    const key = `${mote},${Math.floor((reading! - 1) / 1000) * 1000}`;
    const block = blocks.get(key) ?? { n: 0, temperature: 0, events: 0, humidity: [] };
    blocks.set(key, block);
    block.n++;
    block.temperature += temperature!;
    block.events += label!;
    block.humidity.push(humidity!);
  }
  return blocks;
}

describe("run", () => {
  let server: RunningNatsServer;
  let link: NatsLink;
  beforeAll(async () => {
    server = await startNatsServer({ name: "weir-commands-test" }, process.env);
    link = await connectNats({ name: "test", servers: server.url }, silentLog);
  });
  afterAll(async () => {
    await link?.close();
    await server?.stop();
  });

  it("reads several sources to the end of all, and explains each of them", async () => {
    file("left.ndjson", '{"ts":1,"value":20}\n{"ts":2,"value":21}\n');
    file("right.csv", "at,open\n1,true\n");
    const path = file(
      "two.yaml",
      `name: two
sources:
  left: { file: { path: left.ndjson }, schema: { ts: time, value: float64 }, time: { field: ts, idle: 5s } }
  right: { file: { path: right.csv }, schema: { at: time, open: bool }, time: { field: at } }
steps:
  - select: { source: source, value: value, open: open }
  - sink: { stdout: {}, format: json }
`,
    );
    const [ran, explained] = await Promise.all([
      weir("run", path, "--log", "text", "--json"),
      weir("explain", path),
    ]);
    expect(ran.code).toBe(0);
    expect(ran.stdout.trimEnd().split("\n").sort()).toEqual([
      '{"source":"left","value":20,"open":null}',
      '{"source":"left","value":21,"open":null}',
      '{"source":"right","value":null,"open":true}',
    ]);
    expect(ran.stderr).toContain("two: read left 2, right 1; main: in 3, out 3 in 3 rows");
    const [status] = JSON.parse(ran.stderr.trimEnd().split("\n").at(-1)!) as {
      sources: { name: string; records: number }[];
    }[];
    expect(status!.sources).toMatchObject([
      { name: "left", records: 2 },
      { name: "right", records: 1 },
    ]);
    for (const line of [
      "source   left: file left.ndjson, json",
      "source   right: file right.csv, csv",
      "no lateness, idle after 5s, at most 5m ahead",
    ])
      expect(explained.stdout).toContain(line);
    expect(explained.stdout).toContain("sources are not shared with other pipelines");
  });

  it("condenses a file to standard output without NATS", async () => {
    const { code, stdout } = await weir("run", join(root, "pipelines/recording.yaml"));
    expect(code).toBe(0);
    const [header, ...lines] = stdout.trimEnd().split("\n");
    expect(header).toBe("mote_id,block,temperature,humidity_p50,events,n");
    const expected = expectedBlocks();
    expect(lines).toHaveLength(expected.size);
    for (const line of lines) {
      const [mote, block, temperature, humidity, events, n] = line.split(",").map(Number);
      const { temperature: sum, humidity: humidities, ...counts } = expected.get(`${mote},${block}`)!;
      expect({ events, n }).toEqual(counts);
      expect(temperature).toBeCloseTo(sum / counts.n, 6);
      // The sketch's quantile is right to 1 %.
      const median = humidities.toSorted((a, b) => a - b)[Math.floor((counts.n - 1) / 2)]!;
      expect(Math.abs(humidity! - median) / median).toBeLessThan(0.011);
    }
  });

  it("drains at SIGTERM: every record that was read is in a row or in the ledger", async () => {
    const path = file(
      "drained.yaml",
      `name: drained
source:
  nats: { subject: "drain.*" }
  format: json
  schema: { device: string, temp: float64 }
steps:
  - filter: temp >= 0
  - window: { tumbling: 1h, by: device, select: { n: count() } }
  - sink: { file: { path: drained.ndjson }, format: json }
`,
    );
    const waiting = processes.start(["run", path, "--nats", server.url, "--log", "text", "--json"]);
    let published = 0;
    // A subscription is there once the worker answers for it; until then nobody counts what is published.
    await waiting.says("main: at most once");
    await until(() => isSubscribed(link, "drain.x"));
    for (let i = 0; i < 1_000; i++) {
      link.nats.publish(
        `drain.${i % 2}`,
        JSON.stringify({ device: `d${i % 4}`, temp: i % 10 === 9 ? -1 : i }),
      );
      published++;
    }
    await link.nats.flush();
    await sleep(wallClock, 200);
    waiting.child.kill("SIGTERM");
    const asked = wallClock.now();
    const { code, stderr } = await waiting.ended;
    expect(wallClock.now() - asked).toBeLessThan(limits.drain_ms_max);
    expect(code).toBe(0);
    expect(stderr).toContain("SIGTERM: draining");
    const [status] = JSON.parse(stderr.trimEnd().split("\n").at(-1)!) as {
      pipeline: {
        branches: { in: number; out: number; held: number; ledger: { reason: string; records: number }[] }[];
      };
      sinks: { rows: number; pending: number }[];
    }[];
    const [branch] = status!.pipeline.branches;
    // The probe for the subscription is a record as well, though one that is no JSON.
    expect(branch).toMatchObject({ in: published + 1, out: 900, held: 0 });
    expect(branch!.ledger).toHaveLength(2);
    expect(branch!.ledger).toContainEqual(expect.objectContaining({ reason: "filtered", records: 100 }));
    expect(branch!.ledger).toContainEqual(expect.objectContaining({ reason: "decode", records: 1 }));
    const rows = objects(readFileSync(join(folder, "drained.ndjson"), "utf8")) as {
      device: string;
      n: number;
    }[];
    expect(status!.sinks[0]).toMatchObject({ rows: rows.length, pending: 0 });
    expect(rows.reduce((total, { n }) => total + n, 0)).toBe(900);
  });

  it("says that NATS is away, waits for it, and ends at SIGTERM", async () => {
    const path = file(
      "waiting.yaml",
      `name: waiting
source:
  nats: { subject: "a.>" }
  format: json
steps:
  - sink: { stdout: {}, format: json }
`,
    );
    const port = await freePort();
    const waiting = processes.start(["run", path, "--nats", `nats://user:secret@127.0.0.1:${port}`]);
    await waiting.says("trying again for ever");
    waiting.child.kill("SIGTERM");
    const { code, stderr } = await waiting.ended;
    expect(code).toBe(0);
    expect(stderr).toContain(`waiting for 127.0.0.1:${port}`);
    expect(stderr).not.toContain("secret");
  });

  it("goes on by itself once NATS is there", async () => {
    const port = await freePort();
    const path = file(
      "later.yaml",
      `name: later
source:
  nats: { subject: "later.>" }
  format: json
steps:
  - sink: { stdout: {}, format: json }
`,
    );
    const waiting = processes.start(["run", path, "--nats", `nats://127.0.0.1:${port}`]);
    await waiting.says("trying again for ever");
    const late = await startNatsServer({ name: "weir-late", port }, process.env);
    const client = await connectNats({ name: "late", servers: late.url }, silentLog);
    await until(() => isSubscribed(client, "later.x"));
    client.nats.publish("later.x", '{"a":1}');
    await client.nats.flush();
    await sleep(wallClock, 200);
    waiting.child.kill("SIGTERM");
    const { code, stdout } = await waiting.ended;
    expect({ code, rows: objects(stdout) }).toEqual({ code: 0, rows: [{ a: 1 }] });
    await client.close();
    await late.stop();
  });

  it("takes files, folders and patterns, and says what it runs", async () => {
    mkdirSync(join(folder, "many"));
    for (const name of ["one", "two", "three"]) {
      file(
        `many/${name}.yaml`,
        `name: ${name}
source: { file: { path: in.ndjson }, format: json }
steps: [{ sink: { nothing: {} } }]
`,
      );
    }
    file("many/weir.yaml", "threads: 0\n");
    file("many/in.ndjson", '{"a":1}\n{"a":2}\n');
    const whole = await weir("run", "many");
    expect(whole.code).toBe(0);
    expect(whole.stderr).toContain("running: one, three, two");
    expect(whole.stderr).toContain("one, three, two: main: at least once");
    for (const name of ["one", "two", "three"])
      expect(whole.stderr).toContain(`${name}: main: in 2, out 2 in 2 rows, held 0`);
    const some = await weir("lint", join("many", "t*.yaml"));
    expect(some.stdout.trim().split("\n")).toEqual([
      `ok ${join("many", "three.yaml")}`,
      `ok ${join("many", "two.yaml")}`,
    ]);
    const none = await weir("lint", join("many", "x*.yaml"));
    expect(none.code).not.toBe(0);
    expect(none.stderr).toContain("no pipeline file is called");
  });

  it("refuses two pipelines of one name, and settings that are wrong", async () => {
    const path = join(root, "pipelines/recording.yaml");
    const settings = file("device.yaml", "nats: { default: { ulr: nats://127.0.0.1:4222 } }\n");
    const [twice, odd] = await Promise.all([
      weir("run", path, path),
      weir("run", path, "--config", settings),
    ]);
    expect(twice.code).toBe(78);
    expect(twice.stderr).toContain("two pipelines are called recording");
    expect(odd.code).toBe(78);
    expect(odd.stderr).toMatch(/device\.yaml:1:\d+: error: .*ulr/);
  });
});

describe("feed", () => {
  it("puts the chosen rows of a file onto their subjects, with a time", async () => {
    const server = await startNatsServer({ name: "weir-feed-test" }, process.env);
    const link = await connectNats({ name: "test", servers: server.url }, silentLog);
    const got: { subject: string; ts: number; label: number }[] = [];
    link.nats.subscribe("motes.>", {
      callback: (_error, message) => {
        got.push({ subject: message.subject, ...message.json<{ ts: number; label: number }>() });
      },
    });
    await link.nats.flush();
    const recording = join(root, "pipelines/data/wireless-sensors.csv");
    const where = ["--to", "motes.{mote_id}", "--url", server.url, "--where", "label=1", "--limit", "20"];
    const time = ["--time-field", "ts", "--start", "1000", "--step", "5s", "--index", "reading"];
    const { code, stdout } = await weir("feed", recording, ...where, ...time, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sent: 20, confirmed: 20, lost: 0 });
    await until(() => Promise.resolve(got.length === 20));
    expect(got.every(({ subject, label }) => subject === "motes.1" && label === 1)).toBe(true);
    expect(got[0]!.ts).toBe(1000 + 2343 * 5000);
    await link.close();
    await server.stop();
  });

  it("says which setting is wrong", async () => {
    const { code, stderr } = await weir(
      "feed",
      "x.csv",
      "--to",
      "a.b",
      "--step",
      "soon",
      "--time-field",
      "ts",
      "--start",
      "0",
    );
    expect(code).toBe(64);
    expect(stderr).toContain("--step: expected a duration, got soon");
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(wallClock, 20);
}

/** A request to a subject that nobody listens to is refused at once; one that is read gets no answer. */
async function isSubscribed({ nats }: NatsLink, subject: string): Promise<boolean> {
  const probe = await nats.request(subject, "", { timeout: 100 }).catch((error: unknown) => String(error));
  return typeof probe === "string" && !/no responders/i.test(probe);
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}
