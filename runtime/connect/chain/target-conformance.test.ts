// The suite of targets on a real nats-server, and on the model that the sender's tests use.

import { afterAll, beforeAll } from "vitest";
import { silentLog } from "../connector-log.ts";
import { connectNats, type NatsLink } from "../nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../nats-server.ts";
import { bucketPort } from "./bucket-target.ts";
import { MemoryStream, MemoryStreamPort } from "./memory-stream.fixture.ts";
import { natsStreamPort } from "./nats-stream-port.ts";
import { targetConformance } from "./target-conformance.fixture.ts";

let server: RunningNatsServer;
let link: NatsLink;
let made = 0;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-target-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
});

targetConformance("a real server", (kind) => {
  const name = `T${made++}`;
  const options = { link, log: silentLog };
  return Promise.resolve({
    subject: name,
    bucket: name,
    port: () =>
      kind === "bucket"
        ? bucketPort(name, options)
        : natsStreamPort({ ...options, stream: { name, subjects: [`${name}.>`] } }),
  });
});

targetConformance("a model", (kind) => {
  const stream = new MemoryStream();
  if (kind === "bucket") stream.keepsLastOfSubject = true;
  return Promise.resolve({
    subject: "model",
    bucket: "model",
    port: () => Promise.resolve(new MemoryStreamPort(stream)),
  });
});
