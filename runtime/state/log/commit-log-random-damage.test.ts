// Files of a log are damaged at random: what is damaged is found, or costs nothing; never is a commit another than it was.

import { beforeAll, expect, test } from "vitest";
import { openCommitLog } from "./commit-log.ts";
import { damaged, found, type Image, wholeLog } from "./log-damage.fixture.ts";
import { seeded, seededBytes, textsOf } from "./log-lives.fixture.ts";
import { MemoryDisk } from "./memory-disk.ts";

let image: Image;
let texts: readonly string[];

beforeAll(async () => {
  ({ image, texts } = await wholeLog());
});

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

test("20,000 damages at random: found, or nothing lost; with several, never a wrong commit", {
  timeout: 120_000,
}, async () => {
  let refused = 0;
  let fine = 0;
  const wrong: number[] = [];
  for (let seed = 0; seed < 20_000; seed++) {
    const random = seeded(seed);
    let files = damaged(image, random);
    const isSingle = seed % 4 < 3;
    for (let more = isSingle ? 0 : 1 + random() * 2; more > 0; more--) files = damaged(files, random);
    const what = await found(files);
    if (what === null) refused++;
    else if (isSingle ? isSame(what.texts, texts) : isSame(what.texts, texts.slice(0, what.texts.length)))
      fine++;
    else wrong.push(seed);
  }
  expect(wrong).toEqual([]);
  expect(refused).toBeGreaterThan(5_000);
  expect(fine).toBeGreaterThan(5_000);
});

test("with acceptLoss any damage opens, says what is lost, and the log goes on as another one", async () => {
  const options = { random: seededBytes(1) };
  const original = await openCommitLog(MemoryDisk.of(image), options);
  let losses = 0;
  for (let seed = 0; seed < 500; seed++) {
    const random = seeded(seed);
    let disk = MemoryDisk.of(damaged(damaged(image, random), random));
    const { log, recovery } = await openCommitLog(disk, { random: seededBytes(seed + 7), acceptLoss: true });
    const left = textsOf(recovery);
    expect(left).toEqual(texts.slice(0, left.length));
    const isLoss = recovery.loss !== null;
    if (isLoss) {
      losses++;
      expect(recovery.loss).toMatchObject({ from: left.length + 1 });
      expect(log.id).not.toBe(original.log.id);
    }
    expect(await log.append(Buffer.from("after"))).toBe(left.length + 1);
    disk = disk.afterCrash(random);
    const again = await openCommitLog(disk, options);
    expect(textsOf(again.recovery)).toEqual([...left, "after"]);
    expect(again.recovery.loss).toBeNull();
    expect(again.log.id).toBe(log.id);
  }
  expect(losses).toBeGreaterThan(125);
});
