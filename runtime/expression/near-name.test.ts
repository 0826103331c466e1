// The name that was probably meant.

import { describe, expect, it, test } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { columnTypes } from "../../operators/sdk/index.ts";
import { nearName } from "./near-name.ts";
import { synonymOf } from "./synonyms.ts";

const operatorNames = [...catalog.map(({ name }) => name), "branch", "sink"];

test.each([
  ["fliter", operatorNames, "filter"],
  ["FILTER", operatorNames, "filter"],
  ["alarm", operatorNames, "hold"],
  ["aggregate", operatorNames, "window"],
  ["timestamp", columnTypes, "time"],
  ["number", columnTypes, "float64"],
  ["Integer", columnTypes, "int64"],
  ["seconds", ["s", "ms", "us", "ns", "iso"], "s"],
  ["avg", ["mean", "max"], "mean"],
  ["by", ["left", "right", "on", "within"], "on"],
  ["on", ["tumbling", "by", "select"], "by"],
  ["key", ["table", "on", "add"], "on"],
  ["delta", ["value", "by", "band", "against"], "band"],
  ["quux", operatorNames, undefined],
])("%s", (name, names, meant) => expect(nearName(name, names)).toBe(meant));

describe("what other tools call it", () => {
  it("is told only where weir's name may stand", () => {
    expect(synonymOf("avg", ["max"])).toBeUndefined();
    expect(synonymOf("constructor", ["mean"])).toBeUndefined();
  });
});
