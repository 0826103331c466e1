// JSON that no sensor should send. Data only.

import { type HostileInput, utf8 } from "./hostile-input.fixture.ts";

const good = { device: "a", ts: 2_000, temp: 20 };
const members = (count: number): string => Array.from({ length: count }, (_, n) => `"k${n}":0`).join();

const json = (what: string, text: string, becomes: HostileInput["becomes"]): HostileInput => ({
  what,
  payload: utf8(text),
  becomes,
});

/** A good record with one member in place of its own. */
const but = (what: string, member: string, becomes: HostileInput["becomes"]): HostileInput =>
  json(what, `{"device":"a","ts":2000,${member}}`, becomes);

const withBytes = (what: string, ...bytes: readonly number[]): HostileInput => ({
  what,
  payload: Uint8Array.from([...utf8('{"ts":2000,"temp":20,"device":"'), ...bytes, ...utf8('"}')]),
  becomes: "decode",
});

export const jsonInputs: readonly HostileInput[] = [
  json("half a million brackets", `{"x":${"[".repeat(250_000)}${"]".repeat(250_000)}}`, "decode"),
  json("a hundred thousand objects that never end", '{"a":'.repeat(100_000), "decode"),
  json("fifty thousand members", `{"ts":2000,"device":"a",${members(50_000)}}`, "decode"),
  json("a text at the top", '"a"', "decode"),
  json("true at the top", "true", "decode"),
  json("a truncated record", '{"device":"a","ts":2000,"te', "decode"),
  json("a record and garbage", `${JSON.stringify(good)}x`, "decode"),
  json("two records", `${JSON.stringify(good)}\n${JSON.stringify(good)}`, "decode"),
  json("a comment", `{/**/"device":"a","ts":2000}`, "decode"),
  json("single quotes", "{'device':'a','ts':2000}", "decode"),
  json("a comma too many", '{"device":"a","ts":2000,}', "decode"),
  json("a line feed in a text", '{"device":"a\n","ts":2000}', "decode"),
  json("an escape that is none", '{"device":"\\x61","ts":2000}', "decode"),
  but("not a number", '"temp":NaN', "decode"),
  but("infinity", '"temp":-Infinity', "decode"),
  but("a number beyond all", '"temp":1e400', "type"),
  but("a number below all", '"temp":-1e400', "type"),
  but("a hexadecimal number", '"temp":0x14', "decode"),
  but("a leading zero", '"temp":020', "decode"),
  but("a decimal comma", '"temp":21,5', "decode"),
  but("a number as a text", '"temp":"20"', "type"),
  but("a decimal comma in a text", '"temp":"21,5"', "type"),
  but("true as a number", '"temp":true', "type"),
  but("a list as a number", '"temp":[20]', "type"),
  but("one as a truth value", '"ok":1', "type"),
  but("a text as a truth value", '"ok":"true"', "type"),
  but("an integer of 65 bits", '"n":9223372036854775808', "type"),
  but("an integer below 64 bits", '"n":-9223372036854775809', "type"),
  but("a fraction as an integer", '"n":1.5', "type"),
  json("a number as a device", '{"device":5,"ts":2000}', "type"),
  json("an object as a device", '{"device":{"toString":"a"},"ts":2000}', "type"),
  json("true as a time", '{"device":"a","ts":true}', "type"),
  json("the year 9999", '{"device":"a","ts":253402300799999}', "ahead"),
  json("nanoseconds where milliseconds are read", '{"device":"a","ts":1700000000000000000}', "type"),
  json("2^63 as a time", '{"device":"a","ts":9223372036854775808}', "type"),
  withBytes("bytes that are no text", 0xff, 0xfe),
  withBytes("a NUL in two bytes", 0xc0, 0x80),
  withBytes("half of a pair in UTF-8", 0xed, 0xa0, 0x80),
  withBytes("a character beyond Unicode", 0xf4, 0x90, 0x80, 0x80),
  withBytes("a character that is cut", 0xe2, 0x82),
  but("a member twice", '"temp":1,"temp":20', "type"),
  but("a member twice, written in two ways", '"temp":1,"t\\u0065mp":20', "type"),
  json("half of a pair as an escape", '{"device":"\\ud800","ts":2000,"temp":20}', "decode"),
  // What looks odd, and is a record.
  but("an integer that a double cannot hold", '"n":9007199254740993', { n: 9007199254740993n }),
  but("the largest integer", '"n":9223372036854775807', { n: 9223372036854775807n }),
  but("minus zero", '"temp":-0.0', { temp: 0 }),
  but("the smallest number", '"temp":5e-324', { temp: 5e-324 }),
  but("the largest number", '"temp":1.7976931348623157e308', { temp: Number.MAX_VALUE }),
  but("a member twice that nobody reads", '"temp":20,"note":1,"note":2', { temp: 20 }),
  but("names that change places in JavaScript", '"4294967294":1,"1":2,"temp":20', { temp: 20 }),
  but(
    "a prototype",
    '"__proto__":{"temp":9,"polluted":1},"constructor":{"prototype":{"polluted":1}},"temp":20',
    {
      temp: 20,
    },
  ),
  json("the name of a prototype as a device", '{"device":"__proto__","ts":2000}', { device: "__proto__" }),
  json("a NUL in a device", '{"device":"a\\u0000","ts":2000}', { device: "a\u0000" }),
  json("a space behind a device", '{"device":"a ","ts":2000}', { device: "a " }),
  json("a composed letter", '{"device":"\u00e9","ts":2000}', { device: "\u00e9" }),
  json("the same letter in two parts", '{"device":"e\u0301","ts":2000}', { device: "e\u0301" }),
  json("a time before 1970", '{"device":"a","ts":-5000000}', { device: "a" }),
  json("the time 0", '{"device":"a","ts":0}', { device: "a" }),
];
