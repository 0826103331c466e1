// Which turn a folder is of, what becomes of those of earlier ones, and what goes to and comes from other hosts: on a real disk.

import {
  chownSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { silentLog } from "../connect/connector-log.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import { makeStateFolder, stateFolders } from "./state-folders.ts";
import { enterTerm, termsIn, TurnFolders } from "./turn-folders.ts";

const state = mkdtempSync(join(tmpdir(), "weir-turn-folders-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

describe("turns", () => {
  it("go on in their own folder, and what is of an earlier one is put aside", () => {
    const place = mkdtempSync(join(state, "turns-"));
    const mark = join(place, "a", "mark");
    const enter = (term: number, resumes = false): void =>
      enterTerm(place, "a", { term, resumes }, silentLog);
    makeStateFolder(place, { name: "a", pipelines: ["a"] });
    writeFileSync(mark, "");
    enter(1);
    enter(1);
    expect(existsSync(mark)).toBe(true);
    enter(2, true);
    expect(existsSync(mark)).toBe(true);
    enter(3);
    expect(existsSync(mark)).toBe(false);
    expect(existsSync(join(place, "handed-over", "a.2", "mark"))).toBe(true);
    expect(stateFolders(place)).toEqual([{ name: "a", pipelines: ["a"] }]);
    expect(() => enter(2, true)).toThrow(/is of term 3, and this is term 2/);
    makeStateFolder(place, { name: "b+c", pipelines: ["b", "c"] });
    for (const [partition, term] of [2, 5, 4].entries())
      enterTerm(place, `d~${partition}`, { term, resumes: false }, silentLog);
    expect([termsIn(place), termsIn(join(place, "none"))]).toEqual([
      { a: 3, "d~0": 2, "d~1": 5, "d~2": 4 },
      {},
    ]);
    expect(() => enterTerm(place, "b", { term: 1, resumes: false }, silentLog)).toThrow(
      /together with others/,
    );
  });
});

async function* cutShort(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    yield piece.subarray(0, piece.length >> 1);
    return;
  }
}

describe("what goes to another host", () => {
  const begun = (): { place: string; folders: TurnFolders } => {
    const place = mkdtempSync(join(state, "left-"));
    enterTerm(place, "a", { term: 1, resumes: false }, silentLog);
    writeFileSync(join(place, "a", "segment-0000000001"), "rows");
    return { place, folders: new TurnFolders(place, silentLog) };
  };
  const enter = (place: string, term: number, resumes = false): void =>
    enterTerm(place, "a", { term, resumes }, silentLog);

  it("is nobody's as long as a worker has it, and no worker's from then on", async () => {
    const { place, folders } = begun();
    const lock = await (await FileDisk.open(join(place, "a"))).lock();
    expect([await folders.leave("a", 1), await folders.isFree("a")]).toEqual([null, false]);
    enter(place, 1);
    await lock!.release();
    expect([await folders.isFree("a"), await folders.isFree("b")]).toEqual([true, true]);
    const left = await folders.leave("a", 1);
    expect(await folders.leave("a", 1)).toBeNull();
    expect(() => enter(place, 1)).toThrow(/left to the next host/);
    await left!.release();
    expect(() => enter(place, 1)).toThrow(/left to the next host/);
    // Nobody had it meanwhile, and here it is again.
    folders.begin("a", 2, true);
    expect(existsSync(join(place, "a", "segment-0000000001"))).toBe(true);
    enter(place, 2);
  });

  it("stays until it is carried and another turn begins here", async () => {
    const { place, folders } = begun();
    const left = await folders.leave("a", 1);
    await left!.release();
    enter(place, 3);
    expect(existsSync(join(place, "handed-over", "a.1", "segment-0000000001"))).toBe(true);
    const again = await folders.leave("a", 3);
    again!.carried();
    await again!.release();
    enter(place, 5);
    expect(existsSync(join(place, "handed-over", "a.3"))).toBe(false);
    expect(folders.termOf("a")).toBe(5);
  });

  it("comes whole or not at all, and takes the place of what an earlier turn left here", async () => {
    const { place, folders } = begun();
    const other = begun();
    writeFileSync(join(other.place, "a", "segment-0000000009"), "more rows");
    writeFileSync(join(other.place, "a", "uplinks.json"), "of that host");
    const left = await other.folders.leave("a", 1);
    expect(await left!.bytes()).toBe('["a"]\n'.length + "rows".length + "more rows".length);
    await expect(folders.receive("a", 4, cutShort(left!.pieces()))).rejects.toThrow("damaged");
    expect(folders.hasArrived("a", 4)).toBe(false);
    await folders.receive("a", 4, left!.pieces());
    await left!.release();
    expect([folders.hasArrived("a", 4), folders.hasArrived("a", 5), folders.termOf("a")]).toEqual([
      true,
      false,
      1,
    ]);
    folders.begin("a", 4, false);
    expect(existsSync(join(place, "a", "uplinks.json"))).toBe(false);
    expect(readFileSync(join(place, "a", "segment-0000000009"), "utf8")).toBe("more rows");
    expect(existsSync(join(place, "handed-over", "a.1"))).toBe(true);
    expect([folders.termOf("a"), folders.hasArrived("a", 4)]).toEqual([4, false]);
    enter(place, 4);
    // Where nothing came it begins with nothing.
    folders.begin("a", 6, false);
    expect(folders.termOf("a")).toBe(6);
    expect(existsSync(join(place, "a", "segment-0000000009"))).toBe(false);
    expect(stateFolders(place)).toEqual([{ name: "a", pipelines: ["a"] }]);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "is its workers', who are another user than their supervisor",
    async () => {
      const [there, here] = [begun(), begun()];
      chownSync(here.place, 65_532, 65_532);
      const left = await there.folders.leave("a", 1);
      await here.folders.receive("a", 3, left!.pieces());
      await left!.release();
      here.folders.begin("a", 3, false);
      const paths = globSync("{a,a/*,handed-over,handed-over/*}", { cwd: here.place });
      expect(paths).toEqual(expect.arrayContaining(["a/term", "a/segment-0000000001", "handed-over/a.1"]));
      expect(new Set(paths.map((path) => statSync(join(here.place, path)).uid))).toEqual(new Set([65_532]));
    },
  );
});
