// What a file of CSV is refused for by its first line.

import { describe, expect, it } from "vitest";
import { readCsvHeader } from "./header.ts";

describe("the first line of a file of CSV", () => {
  it.each([
    ["device,temp", ["temp", "humidity"], ["device", "temp"]],
    ['"temp","a ""name"""', ["temp"], ["temp", 'a "name"']],
    ["whatever", [], ["whatever"]],
  ])("%s, where %j are read", (line, fields, columns) => {
    expect(readCsvHeader(line, "readings.csv", fields)).toEqual(columns);
  });

  it.each([
    [
      "device;temp",
      "the columns device;temp, separated by semicolons; expected one at least of ts, temp",
      /commas/,
    ],
    [
      "device\ttemp",
      "the columns device\ttemp, separated by tabs; expected one at least of ts, temp",
      /commas/,
    ],
    ["time,value", "the columns time, value; expected one at least of ts, temp", /names in its first line/],
    [
      "a,b,c,d,e,f,g,h,i,j",
      "the columns a, b, c, d, e, f, g, h and 2 more; expected one at least of ts, temp",
      /names in its first line/,
    ],
  ])("%s is of another file", (line, message, remedy) => {
    expect(() => readCsvHeader(line, "readings.csv", ["ts", "temp"])).toThrow(
      expect.objectContaining({
        code: "WEIR_FILE",
        message: `readings.csv has ${message}`,
        remedy: expect.stringMatching(remedy),
      }),
    );
  });

  it("with a quote that has no end is none", () => {
    expect(() => readCsvHeader('a,"b', "readings.csv", ["a"])).toThrow(/has no header line/);
  });
});
