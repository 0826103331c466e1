// A service on a real nats-server: answers, errors, and what monitors ask.

import { afterAll, beforeAll, expect, test } from "vitest";
import { wallClock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { silentLog } from "./connector-log.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "./nats-server.ts";
import { askService, openService } from "./service.ts";

let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-service-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
});

async function json(subject: string, payload: string | Uint8Array = ""): Promise<unknown> {
  return (await link.nats.request(subject, payload, { timeout: 5_000 })).json();
}

test("a request is answered with data, or with what is wrong; monitors see it", async () => {
  const end = openService({
    link,
    name: "echo-test",
    id: "one",
    version: "1.2.3",
    description: "Says it again.",
    endpoints: [
      {
        name: "echo",
        subject: "test.echo",
        answer: (request) => {
          if (request === "no") throw new WeirError("WEIR_REFUSED", "not this", { remedy: "say yes" });
          if (request === "odd") throw new Error("what");
          return { said: request ?? null };
        },
      },
    ],
    clock: wallClock,
  });
  expect(await askService(link, "test.echo", { a: 1 })).toEqual({ said: { a: 1 } });
  expect(await json("test.echo")).toEqual({ said: null });
  await expect(askService(link, "test.echo", "no")).rejects.toMatchObject({
    code: "WEIR_REFUSED",
    message: "not this",
    remedy: "say yes",
  });
  await expect(askService(link, "test.echo", "odd")).rejects.toMatchObject({ code: "WEIR_INTERNAL" });
  expect(await json("test.echo", "{")).toMatchObject({ error: { code: "WEIR_USAGE" } });
  const large = new Uint8Array(limits.service_request_bytes_max + 1).fill(32);
  expect(await json("test.echo", large)).toMatchObject({ error: { code: "WEIR_USAGE" } });
  const identity = { name: "echo-test", id: "one", version: "1.2.3" };
  for (const subject of ["$SRV.PING", "$SRV.PING.echo-test", "$SRV.PING.echo-test.one"])
    expect(await json(subject)).toEqual({
      type: "io.nats.micro.v1.ping_response",
      ...identity,
      metadata: {},
    });
  expect(await json("$SRV.INFO.echo-test")).toMatchObject({
    ...identity,
    type: "io.nats.micro.v1.info_response",
    endpoints: [{ name: "echo", subject: "test.echo", queue_group: "weir" }],
  });
  expect(await json("$SRV.STATS.echo-test")).toMatchObject({
    endpoints: [{ num_requests: 6, num_errors: 4, last_error: expect.stringContaining("at most") }],
  });
  end();
  await link.flush();
  await expect(askService(link, "test.echo", 1)).rejects.toMatchObject({
    code: "WEIR_NATS_UNAVAILABLE",
    message: "nobody answers on test.echo",
  });
});
