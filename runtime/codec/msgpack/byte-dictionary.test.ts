import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { limits } from "../../limits.ts";
import { ByteDictionary } from "./byte-dictionary.ts";

test("each text has one code, which it keeps while the dictionary grows to its bound", () => {
  const dictionary = new ByteDictionary();
  const codeOf = (text: string): number => {
    const bytes = Buffer.from(`<${text}>`);
    return dictionary.code(bytes, 1, bytes.length - 1);
  };
  const texts = Array.from({ length: limits.dictionary_entries_max }, (_, i) => `sensor/${i}`);
  const codes = texts.map(codeOf);
  expect(new Set(codes).size).toBe(texts.length);
  expect(texts.map(codeOf)).toEqual(codes);
  expect(codes.map((code) => dictionary.texts.text(code))).toEqual(texts);
  expect(dictionary.full).toBe(true);
});

test("bytes that are not UTF-8 have no code, and a prefix is another text", () => {
  const dictionary = new ByteDictionary();
  const bytes = Buffer.from([0x61, 0x62, 0xc3]);
  expect(dictionary.code(bytes, 0, 3)).toBe(-1);
  expect(dictionary.code(bytes, 0, 2)).toBe(0);
  expect(dictionary.code(bytes, 0, 1)).toBe(1);
  expect(dictionary.code(bytes, 0, 0)).toBe(2);
  expect(dictionary.code(bytes, 0, 2)).toBe(0);
});
