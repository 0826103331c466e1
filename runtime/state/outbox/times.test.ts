// Rows that wait are as old as time has passed, whatever somebody sets the clock to: none is dropped, condensed or moved for it.

import { expect, test } from "vitest";
import { SetClock } from "../../set-clock.fixture.ts";
import { LossyDisk } from "./lossy-disk.fixture.ts";
import { Outbox } from "./outbox.ts";
import { defaultOutboxLimits } from "./outbox-options.ts";

const day_ms = 86_400_000;
const options = { limits: { ...defaultOutboxLimits, age: day_ms }, backlogAfter: day_ms };

function commit(outbox: Outbox, text: string): void {
  outbox.add("live", { subject: "s", payload: Buffer.from(text), caused: 0, rows: 1, headers: null });
  outbox.release(outbox.cut());
}

test.each([
  ["ahead", 10 * day_ms],
  ["back", -10 * day_ms],
])("rows keep their age through a clock that is set %s, in this start and in the next", async (_, set) => {
  const disk = new LossyDisk();
  const clock = new SetClock(100 * day_ms);
  const outbox = await Outbox.open(disk.process(), null, { ...options, clock });
  commit(outbox, "a");
  commit(outbox, "b");
  clock.set = set;
  clock.pass(60_000);
  expect(outbox.uncutBytes).toBe(0);
  commit(outbox, "c");
  expect(outbox.stats()).toMatchObject({ age: 60_000, chains: [{ dropped: {}, entries: 3 }] });
  const manifest = await outbox.manifest();
  // Where the clock goes on as it was set.
  const later = new SetClock(clock.now() + 1_000);
  const again = await Outbox.open(disk.process(), manifest, { ...options, clock: later });
  commit(again, "d");
  expect(again.stats()).toMatchObject({ age: 61_000, chains: [{ dropped: {}, entries: 4 }] });
  clock.pass(day_ms);
  expect(outbox.uncutBytes).toBe(1);
});
