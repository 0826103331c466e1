// What a pipeline that is sent to a device names and leaves behind.

import { expect, it, vi } from "vitest";
import { warnOfNamedFiles } from "./named-files.ts";

const text = `name: own
use: [./ops/own.ts, /etc/weir/other.ts, ./ops/own.ts]
source: { nats: { subject: a }, format: protobuf, proto: { file: own.proto, message: A } }
steps:
  - lookup: { table: { file: tables/own.csv }, on: d }
  - sink: { file: { path: x } }
`;

function said(pathsGoAlong: boolean, pipeline = text): string {
  const error = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  warnOfNamedFiles("own", "/p/own.yaml", pipeline, pathsGoAlong);
  const all = error.mock.calls.join("");
  error.mockRestore();
  return all;
}

it("is told, each file once, where the device looks for it", () => {
  expect(said(true)).toContain(
    "own: these do not go along, the device reads files of its own: /p/ops/own.ts, /etc/weir/other.ts, /p/own.proto, /p/tables/own.csv",
  );
  expect(said(false)).toContain("own: ./ops/own.ts, /etc/weir/other.ts, own.proto, tables/own.csv");
  expect(said(true, "name: own\nsteps: []\n")).toBe("");
});
