import { expect, test } from "vitest";
import { progress } from "./terminal.ts";

function written(isTTY: boolean, texts: readonly string[]): string {
  let all = "";
  const stream = { isTTY, write: (text: string) => ((all += text), true) } as unknown as NodeJS.WriteStream;
  for (const text of texts) progress(text, stream);
  return all;
}

test("how far a command is stands in one line of a terminal, and is gone at its end", () => {
  expect(written(true, ["1 of 3", "2 of 3", "", ""])).toBe("\r\u001b[K1 of 3\r\u001b[K2 of 3\r\u001b[K");
});

test("nothing is written where nothing was said, or to a file", () => {
  expect(written(true, [""])).toBe("");
  expect(written(false, ["1 of 3", ""])).toBe("");
});
