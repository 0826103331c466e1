// A folder as a stream of bytes: what comes out is what went in, and nothing that was damaged on the way passes for it.

import fc from "fast-check";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { WeirError } from "../errors.ts";
import { parcelBytes, parcelOf, unpackParcel } from "./parcel.ts";

const place = mkdtempSync(join(tmpdir(), "weir-parcel-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));
let count = 0;
const folder = (): string => join(place, `${count++}`);
const most = 1_000_000;

function folderOf(files: ReadonlyMap<string, Uint8Array>): string {
  const made = folder();
  mkdirSync(made);
  for (const [name, bytes] of files) writeFileSync(join(made, name), bytes);
  return made;
}

function filesIn(path: string): ReadonlyMap<string, Uint8Array> {
  return new Map(readdirSync(path).map((name) => [name, new Uint8Array(readFileSync(join(path, name)))]));
}

async function packed(path: string, without: readonly string[] = []): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of parcelOf(path, without)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** In pieces of that size. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size)
    yield await Promise.resolve(bytes.subarray(from, from + size));
}

const names = ["a", "b.new", "segment-0000000001", "snapshot-0000000001-a"];
const someFiles = fc
  .uniqueArray(fc.constantFrom(...names), { maxLength: 4 })
  .chain((chosen) =>
    fc.tuple(...chosen.map((name) => fc.tuple(fc.constant(name), fc.uint8Array({ maxLength: 5_000 })))),
  )
  .map((files) => new Map(files));

test("any files come out as they went in, however they are cut, but for locks and what is left out", async () => {
  await fc.assert(
    fc.asyncProperty(someFiles, fc.integer({ min: 1, max: 3_000 }), async (files, size) => {
      const from = folderOf(new Map([...files, [".lock", new Uint8Array(1)], ["own", new Uint8Array(9)]]));
      const to = folder();
      await unpackParcel(pieces(await packed(from, ["own"]), size), to, most);
      expect(filesIn(to)).toEqual(files);
      const bytes = [...files.values()].reduce((sum, each) => sum + each.length, 0);
      expect(await parcelBytes(from, ["own"])).toBe(bytes);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ["as it is", Buffer.alloc(0)],
  ["with an empty frame behind, as zlib may put one", zstdCompressSync("")],
])("what is cut short or damaged is refused, wherever: %s", async (_how, behind) => {
  const from = folderOf(new Map(names.map((name, place) => [name, new Uint8Array(700).fill(place)])));
  const needed = await packed(from);
  const whole = Buffer.concat([needed, behind]);
  // A bit or byte may say nothing; but then all is as it was.
  const refusedOrWhole = async (bytes: Uint8Array): Promise<"refused" | "whole"> => {
    const to = folder();
    try {
      await unpackParcel(pieces(bytes, 64), to, most);
    } catch (error) {
      expect(error).toBeInstanceOf(WeirError);
      return "refused";
    }
    expect(filesIn(to)).toEqual(filesIn(from));
    return "whole";
  };
  expect(await refusedOrWhole(whole)).toBe("whole");
  // The empty frame that zlib put behind by itself, if it did, is 13 bytes long.
  for (let end = 0; end < whole.length; end += 3) {
    const outcome = await refusedOrWhole(whole.subarray(0, end));
    if (end < needed.length - 13) expect(outcome).toBe("refused");
  }
  for (let at = 0; at < whole.length; at++) {
    const other = Buffer.from(whole);
    other[at]! ^= 1 << (at % 8);
    await refusedOrWhole(other);
  }
});

test.each([
  ["a name that leads elsewhere", '{"name":"../a","bytes":0}\n{"files":1}\n', /no plain name/],
  ["a hidden name", '{"name":".lock","bytes":0}\n{"files":1}\n', /no plain name/],
  ["a file twice", '{"name":"a","bytes":0}\n{"name":"a","bytes":0}\n{"files":2}\n', /cannot be unpacked/],
  ["more bytes than may be", '{"name":"a","bytes":1000001}\n', /more than 1000000 bytes/],
  ["no length", '{"name":"a"}\n', /no length/],
  ["another count", '{"name":"a","bytes":0}\n{"files":2}\n', /1 files of 2/],
  ["more behind its end", '{"files":0}\n{"files":0}\n', /behind its end/],
  ["a line without end", `{"name":"${"a".repeat(200_000)}`, /too long/],
  ["no JSON", "x\n", /cannot be unpacked/],
])("%s is refused", async (_what, text, why) => {
  await expect(unpackParcel(pieces(zstdCompressSync(text), 100), folder(), most)).rejects.toThrow(why);
});

test("what keeps it from coming is told as it is, and is no damage", async () => {
  const from = folderOf(new Map([["a", new Uint8Array(9_000).map(() => Math.random() * 256)]]));
  const whole = await packed(from);
  async function* cut(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(whole.subarray(0, 4_000));
    throw new Error("no answer");
  }
  await expect(unpackParcel(cut(), folder(), most)).rejects.toThrow(/^no answer$/);
  const file = join(from, "a");
  await expect(unpackParcel(pieces(whole, 100), join(file, "b"), most)).rejects.toMatchObject({
    code: "ENOTDIR",
  });
});

test("a folder in a folder cannot go", async () => {
  const from = folderOf(new Map([["a", new Uint8Array(1)]]));
  mkdirSync(join(from, "b"));
  expect(await parcelBytes(from, [])).toBeNull();
});
