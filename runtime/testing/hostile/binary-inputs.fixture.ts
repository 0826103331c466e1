// MessagePack and protobuf that no sensor should send. Data only.

import { type HostileInput, utf8 } from "./hostile-input.fixture.ts";

const hex = (text: string): number[] => [...Buffer.from(text.replaceAll(" ", ""), "hex")];
const text = (word: string): number[] => [0xa0 | word.length, ...utf8(word)];
/** A map of device, ts and one member more. */
const packed = (what: string, member: readonly number[], becomes: HostileInput["becomes"]): HostileInput => ({
  what,
  payload: Uint8Array.from([
    0x83,
    ...text("device"),
    ...text("a"),
    ...text("ts"),
    0xcd,
    0x07,
    0xd0,
    ...member,
  ]),
  becomes,
});
const bytes = (what: string, payload: readonly number[], becomes: HostileInput["becomes"]): HostileInput => ({
  what,
  payload: Uint8Array.from(payload),
  becomes,
});
const repeated = (count: number, ...part: readonly number[]): number[] =>
  Array.from({ length: count }, () => part).flat();

export const msgpackInputs: readonly HostileInput[] = [
  bytes("nothing", [], "decode"),
  bytes("a byte that is never used", [0xc1], "decode"),
  bytes("null", [0xc0], "decode"),
  bytes("a list of four billion", hex("dd ffffffff"), "decode"),
  bytes("a map of four billion", hex("df ffffffff"), "decode"),
  bytes("a text of four billion bytes", hex("db ffffffff 61"), "decode"),
  bytes("four billion bytes", hex("c6 ffffffff 61"), "decode"),
  bytes("an extension of four billion bytes", hex("c9 ffffffff 01 61"), "decode"),
  bytes("half a million lists in each other", repeated(500_000, 0x91), "decode"),
  bytes("a hundred thousand maps in each other", repeated(100_000, 0x81, 0xa1, 0x61), "decode"),
  packed("lists in each other", [...text("x"), ...repeated(100_000, 0x91), 0xc0], "decode"),
  bytes("a record and garbage", [0x81, ...text("ts"), 5, 0xc0], "decode"),
  bytes("two records", [0x81, ...text("ts"), 5, 0x81, ...text("ts"), 5], "decode"),
  bytes("a truncated record", [0x82, ...text("ts"), 5, 0xa4, 0x74], "decode"),
  packed("not a number", [...text("temp"), ...hex("cb 7ff8000000000000")], "type"),
  packed("infinity", [...text("temp"), ...hex("cb 7ff0000000000000")], "type"),
  packed("minus infinity of four bytes", [...text("temp"), ...hex("ca ff800000")], "type"),
  packed("a number as a text", [...text("temp"), ...text("20")], "type"),
  packed("an integer of 65 bits", [...text("n"), ...hex("cf ffffffffffffffff")], "type"),
  packed("a truth value as an integer", [...text("n"), 0xc3], "type"),
  packed("an extension as a number", [...text("temp"), ...hex("d4 01 00")], "type"),
  packed("a time that there is not", [...text("temp"), ...hex("c7 0c ff ffffffff ffffffffffffffff")], "type"),
  bytes("a text that is no UTF-8", [0x82, ...text("ts"), 5, ...text("device"), 0xa2, 0xff, 0xfe], "decode"),
  // What looks odd, and is a record: names that nobody asks for are stepped over, whatever they are.
  packed("a name that is no UTF-8", [0xa2, 0xc0, 0x80, 0x01], { device: "a" }),
  packed("a list as a name", [0x91, 0x01, 0x01], { device: "a" }),
  packed("a map as a name", [0x80, 0x01], { device: "a" }),
  packed("not a number as a name", [...hex("cb 7ff8000000000000"), 0x01], { device: "a" }),
  packed("the largest integer", [...text("n"), ...hex("cf 7fffffffffffffff")], { n: 9223372036854775807n }),
  packed("an integer that a double cannot hold", [...text("n"), ...hex("cf 0020000000000001")], {
    n: 9007199254740993n,
  }),
  packed("a prototype", [...text("__proto__"), 0x81, ...text("polluted"), 0x01], { device: "a" }),
];

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
const tag = (field: number, kind: number): number[] => varint((field << 3) | kind);
const start = [...tag(1, 2), 1, 0x61, ...tag(2, 0), ...varint(2_000)];
const message = (what: string, rest: readonly number[], becomes: HostileInput["becomes"]): HostileInput =>
  bytes(what, [...start, ...rest], becomes);

/** Messages in each other, as bytes. */
function nested(depth: number): number[] {
  const headers: number[][] = [];
  let length = 0;
  for (let n = 0; n < depth; n++) {
    const header = [...tag(2, 2), ...varint(length)];
    headers.push(header);
    length += header.length;
  }
  return [...tag(6, 2), ...varint(length), ...headers.reverse().flat()];
}

export const protobufInputs: readonly HostileInput[] = [
  message("ten thousand groups", repeated(10_000, ...tag(20, 3)), "decode"),
  message("the end of a group that never began", tag(20, 4), "decode"),
  message("a length of 2^31", [...tag(1, 2), ...hex("8080808008")], "decode"),
  message("a length of 2^63", [...tag(20, 2), ...hex("ffffffffffffffff7f")], "decode"),
  message("a number of eleven bytes", [...tag(4, 0), ...repeated(10, 0x80), 0x01], "decode"),
  message("a number that never ends", [...tag(4, 0), ...repeated(100_000, 0x80)], "decode"),
  message("field 0", [0x00, 0x01], "decode"),
  message("a kind that there is not", tag(20, 6), "decode"),
  message("a double in another kind", [...tag(3, 0), 5], "decode"),
  message("a time in another kind", [...tag(2, 5), 0, 0, 0, 0], "decode"),
  message("a truncated double", [...tag(3, 1), 0, 0], "decode"),
  message("not a number", [...tag(3, 1), ...hex("000000000000f87f")], "type"),
  message("infinity", [...tag(3, 1), ...hex("000000000000f07f")], "type"),
  message("a text that is no UTF-8", [...tag(1, 2), 2, 0xff, 0xfe], "decode"),
  message("the year 9999", [...tag(2, 0), ...hex("ffaf999dceac39")], "ahead"),
  // What looks odd, and is a record.
  message("messages in each other that nobody reads", nested(5_000), { device: "a" }),
  message(
    "a hundred thousand numbers that nobody reads",
    [...tag(8, 2), ...varint(800_000), ...repeated(800_000, 0)],
    { device: "a" },
  ),
  message("names of JavaScript's own", [...tag(7, 2), 11, ...tag(1, 2), 9, ...utf8("__proto__")], {
    device: "a",
  }),
  message("a field that nobody knows", [...tag(500, 2), 3, 1, 2, 3], { device: "a" }),
  message("the largest integer", [...tag(4, 0), ...hex("ffffffffffffffff7f")], { n: 9223372036854775807n }),
];
