// The model of a stream against a real nats-server: the same steps on both, and any difference in what they answer fails.

import type { JetStreamManager } from "@nats-io/jetstream";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { natsStreamPort } from "../../connect/chain/nats-stream-port.ts";
import type { StreamPort } from "../../connect/chain/stream-port.ts";
import { managerOf } from "../../connect/jetstream-requests.ts";
import { connectNats, type NatsLink } from "../../connect/nats-connection.ts";
import { silentLog } from "../../connect/connector-log.ts";
import { type RunningNatsServer, startNatsServer } from "../../connect/nats-server.ts";
import { streamCases } from "./stream-cases.fixture.ts";
import { randomCases, type Step, type StreamCase } from "./stream-steps.fixture.ts";
import { configOf, ModelPerformer, type Performer, ServerPerformer } from "./stream-performer.fixture.ts";

type Heard = readonly { readonly step: Step; readonly answer: unknown }[];

let folder: string;
let server: RunningNatsServer;
let link: NatsLink;
let manager: JetStreamManager;
const cases: readonly StreamCase[] = [...streamCases, ...randomCases(300)];
const heard = new Map<StreamCase, Heard>();
/** By case. */
let ports: readonly StreamPort[] = [];

async function connect(): Promise<void> {
  link = await connectNats({ name: "conformance", servers: server.url }, silentLog);
  manager = await managerOf(link, null);
  ports = await Promise.all(
    cases.map((_each, index) => {
      const name = `S${index}`;
      return natsStreamPort({ link, stream: { name, subjects: [`${name}.>`] }, log: silentLog });
    }),
  );
}

async function disconnect(): Promise<void> {
  await Promise.all(ports.map((port) => port.close()));
  await link.close();
}

async function restart(): Promise<void> {
  await disconnect();
  await server.kill();
  await server.stop();
  server = await startNatsServer({ name: "conformance", storeDir: folder, port: server.port }, process.env);
  await connect();
}

/** Performs what comes before a restart, or what comes behind it. */
async function part(performer: Performer, { steps }: StreamCase, behind: boolean): Promise<Heard> {
  const place = steps.findIndex((step) => step.do === "restart");
  const middle = place < 0 ? steps.length : place;
  const some = behind ? steps.slice(middle + 1) : steps.slice(0, middle);
  const all: { step: Step; answer: unknown }[] = [];
  for (const step of some) {
    if (step.do !== "restart") all.push({ step, answer: await performer.perform(step) });
  }
  return all;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-conformance-"));
  server = await startNatsServer({ name: "conformance", storeDir: folder }, process.env);
  await connect();
  const performers = await Promise.all(
    cases.map(async ({ config }, index) => {
      const name = `S${index}`;
      const port = (): StreamPort => ports[index]!;
      const performer = new ServerPerformer(configOf(name, config), () => manager, port);
      await performer.create();
      return performer;
    }),
  );
  const before = await Promise.all(cases.map((each, index) => part(performers[index]!, each, false)));
  await restart();
  const behind = await Promise.all(cases.map((each, index) => part(performers[index]!, each, true)));
  for (const [index, each] of cases.entries()) heard.set(each, [...before[index]!, ...behind[index]!]);
}, 60_000);

afterAll(async () => {
  await disconnect();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function modelled(each: StreamCase, index: number): Promise<Heard> {
  const performer = new ModelPerformer(configOf(`S${index}`, each.config));
  const before = await part(performer, each, false);
  performer.restart();
  return [...before, ...(await part(performer, each, true))];
}

test.each(cases.map((each, index) => [each.name, each, index] as const))("%s", async (_name, each, index) => {
  expect(await modelled(each, index)).toEqual(heard.get(each));
});

test("there are enough of them, each with a name of its own", () => {
  expect(new Set(streamCases.map(({ name }) => name)).size).toBe(streamCases.length);
  expect(streamCases.length).toBeGreaterThanOrEqual(60);
});
