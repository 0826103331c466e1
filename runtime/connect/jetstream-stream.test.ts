// The stream of a sink: which subjects a shared one has once another writer comes, and a real server without room for a new one.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ServerUnderTest } from "./chain/server-faults.fixture.ts";
import { asker, managerOf } from "./jetstream-requests.ts";
import { ensureStream, withSubjects } from "./jetstream-stream.ts";

const account =
  "accounts { SMALL { users: [{ user: any, password: any }], jetstream: { max_file: 64KB, max_mem: 1GB } } }\nno_auth_user: any";

it("is not made where it would take more room than there is, and it is said what helps", async () => {
  const said: string[] = [];
  const log = { info: () => undefined, warn: (message: string) => void said.push(message) };
  const under = await ServerUnderTest.start(log, account);
  onTestFinished(() => under.close());
  const link = await under.connect();
  let isStopped = false;
  const who = asker("sink stream ROWS", { link, log }, () => isStopped);
  const ensured = ensureStream(who, await managerOf(link, null), { name: "ROWS", subjects: ["rows"] });
  const ended = expect(ensured).rejects.toThrow("stopped before it could use stream ROWS");
  await vi.waitFor(() =>
    expect(said.join()).toMatch(
      /sink stream ROWS: use stream ROWS: .*: one that weir makes reserves 1073741824 bytes; give its JetStream more room \(max_file_store, or the account's max_file\), or make stream ROWS yourself with a smaller --max-bytes; trying again/,
    ),
  );
  isStopped = true;
  await ended;
  await link.close();
});

it("has no subjects that another stream has, and it is said which", async () => {
  const log = { info: () => undefined, warn: () => undefined };
  const under = await ServerUnderTest.start(log);
  onTestFinished(() => under.close());
  const link = await under.connect();
  const manager = await managerOf(link, null);
  const who = asker("sink stream DAYS", { link, log }, () => false);
  await ensureStream(who, manager, { name: "AIR", subjects: ["air.*.running"] });
  await expect(ensureStream(who, manager, { name: "DAYS", subjects: ["days", "air.day.*"] })).rejects.toThrow(
    "sink stream DAYS: stream DAYS cannot have its subjects: air.day.* overlaps with subjects of stream AIR; give these rows",
  );
  const shared = { name: "ALARMS", shared: true };
  await ensureStream(who, manager, { ...shared, subjects: ["alarm.a"] });
  await expect(ensureStream(who, manager, { ...shared, subjects: ["air.b.*"] })).rejects.toThrow(
    "stream ALARMS cannot have its subjects: air.b.* overlaps with subjects of stream AIR; give",
  );
  const lanes = { subjects: ["up.>"], shared: true, fixed: true };
  await ensureStream(who, manager, { name: "ROWS", ...lanes });
  await expect(ensureStream(who, manager, { name: "URGENT", ...lanes })).rejects.toThrow(
    "up.> overlaps with subjects of stream ROWS; all lanes of a server go to one stream: write stream: ROWS in this sink as well",
  );
  await link.close();
});

describe("subjects of a shared stream", () => {
  it.each([
    [[], ["a"], ["a"]],
    [["a"], ["b"], ["a", "b"]],
    [["a.b"], ["a.*"], ["a.*"]],
    [["a.>"], ["a.b.c"], ["a.>"]],
    [
      ["a.*", "b"],
      ["a.>", "c"],
      ["b", "a.>", "c"],
    ],
    [["a"], ["a"], ["a"]],
  ])("%j and %j are %j", (before, more, all) => {
    expect(withSubjects(before, more)).toEqual(all);
  });
});
