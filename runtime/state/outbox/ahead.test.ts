// How much of what waits may have been sent before a restart, as far as anybody can know.

import { expect, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import { LossyDisk } from "./lossy-disk.fixture.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";

type Frame = Parameters<Outbox["replay"]>[0];

const commits = 400;
const row = { subject: "to.all", payload: new Uint8Array(10), caused: 5, rows: 1, headers: null };

function open(clock: VirtualClock, options: Partial<OutboxOptions>): Promise<Outbox> {
  return Outbox.open(new LossyDisk().process(), null, { clock, ...options });
}

/** Ten rows. */
function commit(outbox: Outbox, count = 10): Frame {
  for (let number = 0; number < count; number++) outbox.add("live", row);
  const cut = outbox.cut();
  outbox.release(cut);
  return cut.frame;
}

async function restarted(clock: VirtualClock, frames: readonly Frame[], options: Partial<OutboxOptions>) {
  const outbox = await open(clock, options);
  for (const frame of frames) if (frame !== null) outbox.replay(frame);
  return outbox;
}

test("of rows that wait in an outage all but a few become backlog, however often the process is killed in it", async () => {
  const clock = new VirtualClock(60_000);
  const options = { backlogAfter: 60_000 };
  const frames: Frame[] = [];
  for (let kills = 0; kills < 3; kills++) {
    const outbox = await restarted(clock, frames, options);
    for (let count = 0; count < commits; count++) frames.push(commit(outbox));
  }
  const outbox = await restarted(clock, frames, options);
  clock.advanceTo(120_000);
  commit(outbox);
  const { last, released } = outbox.chain("live");
  expect(released).toBe(last);
  const [live, backlog] = outbox.stats().chains;
  expect(live!.rows + backlog!.rows).toBe(3 * 10 * commits + 10);
  const few = limits.outbox_ahead_rows_max * limits.outbox_ahead_part_min;
  expect(live!.rows).toBeLessThanOrEqual(3 * (few + 10) + 10);
});

test("of rows that are taken as fast as they come as many may be on their way as ever", async () => {
  const clock = new VirtualClock(60_000);
  const outbox = await restarted(clock, [], {});
  commit(outbox, 20_000);
  let taken = 0;
  for (let count = 0; count < 6; count++) {
    for (;;) {
      const some = await outbox.take("live", 100_000, 1e9);
      if (some.length === 0) break;
      taken += some.length;
    }
    commit(outbox, 20_000);
  }
  expect(taken).toBe(6 * 20_000);
});

test.each([
  ["nearly full goes without a further commit, for which there may be no room", 1_000_000, commits * 10],
  ["with room goes as far as a commit says", 1_000_000_000, 2_040],
])("what waits on a disk that is %s", async (_what, free, most) => {
  const clock = new VirtualClock(60_000);
  const disk = new LossyDisk().process();
  disk.free = () => Promise.resolve(free);
  const outbox = await Outbox.open(disk, null, { clock });
  for (let count = 0; count < commits; count++) {
    commit(outbox);
    await Promise.resolve();
  }
  // A commit that is wanted for that alone.
  if (outbox.uncutBytes > 0) commit(outbox, 0);
  let taken = 0;
  for (;;) {
    const some = await outbox.take("live", 100_000, 1e9);
    if (some.length === 0) break;
    taken += some.length;
  }
  expect(taken).toBe(most);
});
