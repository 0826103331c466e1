// Signed revisions from the file to the device: weir sign, apply, rollback and supervise --trust as processes, a real nats-server,
// and somebody who writes into the bucket what nobody signed.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { deviceSubject, eventSubject } from "../supervisor/control-subjects.ts";
import { DesiredBucket, desiredBucket } from "../supervisor/desired-bucket.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { testKey } from "../supervisor/signing.fixture.ts";
import type { WantedPipeline } from "../supervisor/wanted.ts";
import { ended, runs, Site } from "./site.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-sig-"));
const sites: Site[] = [];
let server: RunningNatsServer;
let link: NatsLink;
let bucket: DesiredBucket;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-signed-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  bucket = await DesiredBucket.open(link);
});

afterAll(async () => {
  for (const site of sites) site.kill();
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const [key, next] = [testKey(), testKey()];

const pipelineText = (name: string, every: string): string => `name: ${name}
source: { host: { every: ${every} } }
steps:
  - sink: { file: { path: ../${name}.ndjson }, format: json }
`;

/** A device that trusts keys, and somebody beside it who has one. */
function siteOf(name: string): Site {
  const site = new Site(folder, name);
  sites.push(site);
  writeFileSync(join(site.folder, "release.key"), key.privatePem);
  writeFileSync(join(site.folder, "next.key"), next.privatePem);
  writeFileSync(join(site.folder, "trusted.pem"), key.publicPem);
  return site;
}

interface Event {
  readonly what: string;
  readonly name: string;
  readonly revision?: string;
  readonly reason: string;
}

/** What a host tells from here on. */
function eventsOf(host: string): { readonly all: Event[]; refused(reason: RegExp): Promise<Event> } {
  const all: Event[] = [];
  link.nats.subscribe(eventSubject(host), { callback: (_, message) => void all.push(message.json<Event>()) });
  const refused = async (reason: RegExp): Promise<Event> => {
    for (;;) {
      const at = all.findIndex((each) => each.what === "refused" && reason.test(each.reason));
      if (at >= 0) return all.splice(0, at + 1).at(-1)!;
      await sleep(wallClock, 20);
    }
  };
  return { all, refused };
}

const runsRevision =
  (name: string, revision: string) =>
  ({ pipelines }: SupervisorStatus): boolean =>
    pipelines.some((each) => each.name === name && each.runs === revision && each.state === "running");

test("a device runs what was signed, and nothing else that is put into the bucket", {
  timeout: 120_000,
}, async () => {
  const site = siteOf("gateway");
  const events = eventsOf("gateway");
  const to = ["--nats", server.url, "--host", "gateway"] as const;
  const present = async (): Promise<WantedPipeline> =>
    (await bucket.read("gateway")).pipelines.get("climate")!.pipeline;
  const put = async (pipeline: WantedPipeline): Promise<void> =>
    bucket.put("gateway", pipeline, (await bucket.read("gateway")).pipelines.get("climate") ?? null);
  const signed = async (every: string, by = "release.key"): Promise<WantedPipeline> => {
    site.write("climate", pipelineText("climate", every));
    expect(await site.weir("sign", "p/climate.yaml", "--key", by)).toMatchObject({ code: 0, stderr: "" });
    expect(await site.weir("apply", "p/climate.yaml", ...to)).toMatchObject({ code: 0 });
    return present();
  };
  site.supervise("--desired", "default", "--trust", "trusted.pem", ...to).stderr?.resume();
  const one = await signed("100ms");
  await site.until(runsRevision("climate", one.revision));

  // A file that was changed since is not applied with its signature, and without one it does not run.
  site.write("climate", pipelineText("climate", "150ms"));
  expect(await site.weir("apply", "p/climate.yaml", ...to)).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/climate.yaml.sig: it is not of the text .* has now[^]*weir sign /),
  });
  rmSync(join(site.pipelines, "climate.yaml.sig"));
  await site.weir("apply", "p/climate.yaml", ...to);
  const { revision } = await present();
  expect(await events.refused(/^it is not signed/)).toMatchObject({ name: "climate", revision });
  expect((await site.weir("status")).stdout).toMatch(
    new RegExp(`climate +running +${one.revision} [^]*\\n  it is not signed; expected .*${key.id}`),
  );

  // What somebody puts there by hand: another text, and what is no pipeline.
  await put({ ...one, text: pipelineText("climate", "200ms") });
  await events.refused(/^its text is not what was signed/);
  link.nats.publish(`$KV.${desiredBucket}.gateway.pipeline.climate`, "{");
  await events.refused(/^its entry in the bucket weir_desired cannot be read/);
  await site.until(runsRevision("climate", one.revision));

  // It is replaced as any other; what was signed earlier does not come back.
  const two = await signed("250ms");
  await site.until(runsRevision("climate", two.revision));
  await put(one);
  expect(await events.refused(/^it was signed at /)).toMatchObject({ revision: one.revision });
  await put(two);

  // Nor by a rollback, but for one with a key.
  expect((await site.weir("rollback", "climate", ...to)).stderr).toMatch(/^warning: .* --key signs it anew/);
  expect((await events.refused(/^it was signed at /)).reason).toContain("weir rollback climate --key");
  await site.until(runsRevision("climate", two.revision));
  const back = await site.weir("rollback", "climate", "--key", "release.key", ...to);
  expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining(`${one.revision}, with another`) });
  await site.until(runsRevision("climate", one.revision));
  expect(events.all.filter(({ what }) => what === "rolled_back")).toEqual([]);
});

test("keys are rotated by editing their file; what only a key signed that is gone is not wanted any more", {
  timeout: 120_000,
}, async () => {
  const site = siteOf("rotating");
  const trusted = join(site.folder, "trusted.pem");
  for (const name of ["old", "new"]) site.write(name, pipelineText(name, "100ms"));
  await site.weir("sign", "p/old.yaml", "--key", "release.key", "--expires", "30d");
  await site.weir("sign", "p/new.yaml", "--key", "next.key", "--host", "rotating");
  const supervisor = site.supervise("p", "--trust", "trusted.pem", "--host", "rotating");
  let said = "";
  supervisor.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const waiting = await site.until(runs("old"));
  expect(waiting.pipelines.find(({ name }) => name === "new")).toMatchObject({
    state: "refused",
    reason: expect.stringContaining(`key ${next.id} is not trusted here`),
  });
  appendFileSync(trusted, next.publicPem);
  await site.until((status) => runs("old")(status) && runs("new")(status));
  writeFileSync(trusted, "no key\n");
  while (!said.includes("the keys that are trusted stay as they were")) await sleep(wallClock, 50);
  expect((await site.status())?.pipelines.map(({ state }) => state)).toEqual(["running", "running"]);
  writeFileSync(trusted, next.publicPem);
  const { pipelines, workers } = await site.until(
    ({ pipelines: all, workers: them }) =>
      all.some(({ name, state }) => name === "old" && state === "refused") &&
      them.every(({ pipelines: run }) => run.join() === "new"),
  );
  expect(pipelines.find(({ name }) => name === "new")?.state).toBe("running");
  const [worker] = workers.map(({ process }) => process);
  const gone = ended(supervisor);
  supervisor.kill("SIGTERM");
  await gone;

  // Offline, and by its disk alone, which somebody has changed.
  writeFileSync(trusted, key.publicPem + next.publicPem);
  const kept = join(site.state, "supervisor", "wanted.json");
  writeFileSync(kept, readFileSync(kept, "utf8").replace("every: 100ms", "every: 101ms"));
  const again = site.supervise("--trust", "trusted.pem", "--host", "rotating");
  again.stderr?.resume();
  // The worker that ran on ends, because nothing that it runs is wanted any more.
  expect(worker).toEqual(expect.any(Number));
  while (existsSync(`/proc/${worker}`)) await sleep(wallClock, 50);
  expect((await site.status())?.pipelines).toMatchObject([{ name: "new", state: "refused", worker: null }]);
  await site.drain(again);
});

test("a signature is a change by itself, and goes along to a device that is asked", async () => {
  const site = siteOf("along");
  const to = ["--nats", server.url, "--host", "along"] as const;
  site.write("climate", pipelineText("climate", "100ms"));
  const said = async (...args: readonly string[]): Promise<string> => (await site.weir(...args)).stdout;
  expect(await said("apply", "p", ...to)).toMatch(/^\+ climate [0-9a-f]{12}\n$/);
  expect(await said("sign", "p", "--key", "release.key", "--host", "along", "--host", "gateway")).toMatch(
    /^p\/climate.yaml.sig: climate [0-9a-f]{12} for along, gateway\n$/,
  );
  for (const command of ["plan", "apply"])
    expect(await said(command, "p", ...to)).toMatch(/^~ climate [0-9a-f]{12}, with another signature\n$/);
  expect(await said("apply", "p", ...to)).toMatch(/^= climate/);
  const beside: unknown = JSON.parse(readFileSync(join(site.pipelines, "climate.yaml.sig"), "utf8"));
  expect((await bucket.read("along")).pipelines.get("climate")?.pipeline.signature).toEqual(beside);

  const asked: unknown[] = [];
  link.nats.subscribe(deviceSubject("along", "deploy", "ada"), {
    callback: (_, message) => {
      asked.push(message.json());
      message.respond(JSON.stringify({ state: "deployed", name: "climate", revision: "1" }));
    },
  });
  const deploy = ["deploy", "p/climate.yaml", "--device", "along", "--user", "ada", "--nats", server.url];
  expect(await site.weir(...deploy)).toMatchObject({ code: 0, stdout: "climate is deployed on along\n" });
  expect(asked).toEqual([{ pipeline: pipelineText("climate", "100ms"), signature: beside }]);
});

test.each([
  ["no file", ["none.pem"], 66, "none.pem cannot be read"],
  ["no key in it", ["release.key"], 78, "release.key: something in it is no public key"],
])("a supervisor does not start with %s to trust", async (_, trust, code, message) => {
  const site = siteOf("nothing");
  expect(await site.weir("supervise", "p", "--state", "s", "--trust", ...trust)).toMatchObject({
    code,
    stderr: expect.stringContaining(message),
  });
});

test("what cannot be signed is refused before anything is", async () => {
  const site = siteOf("signing");
  site.write("climate", pipelineText("climate", "100ms"));
  writeFileSync(join(site.pipelines, "wrong.yaml"), "steps: []\n");
  const sign = async (...args: readonly string[]): Promise<readonly [number | null, string]> => {
    const { code, stderr } = await site.weir("sign", ...args);
    return [code, stderr];
  };
  expect(await sign("p", "--key", "release.key")).toEqual([78, expect.stringContaining("wrong.yaml:1:1")]);
  const named =
    "use: [./own.ts]\nsteps:\n  - lookup: { table: { file: tables/devices.csv }, on: d }\n  - sink: { file: { path: x } }\n";
  writeFileSync(join(site.folder, "p", "named.yaml"), `name: named\n${named}`);
  expect(await sign("p/named.yaml", "--key", "release.key")).toEqual([
    0,
    expect.stringContaining("./own.ts, tables/devices.csv: not signed with it"),
  ]);
  expect(await sign("p/climate.yaml", "--key", "trusted.pem")).toEqual([
    78,
    expect.stringContaining("openssl"),
  ]);
  expect(await sign("p/climate.yaml", "--key", "release.key", "--expires", "soon")).toEqual([
    64,
    expect.stringContaining("--expires: expected a duration"),
  ]);
  expect(() => readFileSync(join(site.pipelines, "climate.yaml.sig"))).toThrow("ENOENT");
});
