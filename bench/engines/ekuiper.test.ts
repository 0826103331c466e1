import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { folderOf } from "../side-by-side/workload.ts";
import { ruleRequests } from "../rules-ekuiper.ts";
import { workloads } from "../workloads/workloads.ts";
import {
  ekuiper,
  kuiper,
  type KuiperProgram,
  recordsFor,
  ruleRequest,
  settingsText,
  streamRequest,
} from "./ekuiper.ts";
import { findProgram } from "./programs.ts";

const programs = workloads.filter((workload) => existsSync(new URL(ekuiper.program, folderOf(workload))));
const program: KuiperProgram = {
  stream: "CREATE STREAM records (ts BIGINT)",
  query: "SELECT count(*) AS n FROM records GROUP BY TUMBLINGWINDOW(mi, 1)",
  time: { field: "ts", lateness_ms: 1_000, closing_ms: 60_000 },
};

test("a stream names its file, and the field of its time where it has one", () => {
  const common = `CREATE STREAM records (ts BIGINT) WITH (TYPE="file", FORMAT="json", DATASOURCE="records.ndjson", CONF_KEY="bench"`;
  expect(streamRequest(program)).toEqual({
    method: "POST",
    path: "/streams",
    body: { sql: `${common}, TIMESTAMP="ts")` },
  });
  const { stream, query } = program;
  expect(streamRequest({ stream, query }).body).toEqual({ sql: `${common})` });
});

test("many rules share one stream, and every tenth writes its rows", () => {
  expect(streamRequest(program, true).body).toMatchObject({
    sql: expect.stringContaining(`, SHARED="true", `),
  });
  const actions = ruleRequests(11, "/rows").map(({ body }) => (body as { actions: object[] }).actions[0]!);
  expect(actions.map((action) => Object.keys(action)[0] === "file")).toEqual([
    true,
    ...Array(9).fill(false),
    true,
  ]);
});

test("a rule loses nothing, and follows the records' time where they have one", () => {
  const options = { disableBufferFullDiscard: true };
  const body = {
    id: "bench",
    sql: program.query,
    actions: [{ file: { path: "/rows", fileType: "lines", format: "json", sendSingle: true } }],
    options: { ...options, isEventTime: true, lateTolerance: 1_000 },
  };
  expect(ruleRequest(program, "/rows")).toEqual({ method: "POST", path: "/rules", body });
  const { stream, query } = program;
  expect(ruleRequest({ stream, query }, "/rows").body).toEqual({ ...body, options });
});

test("where windows are to close, the last record stands there again, later", () => {
  const records = Buffer.from('{"ts":1,"a":"x"}\n{"ts":2,"a":"y"}\n');
  expect(recordsFor(program, records).toString()).toBe(`${records.toString()}{"ts":60002,"a":"y"}\n`);
  const { stream, query } = program;
  expect(recordsFor({ stream, query }, records)).toBe(records);
});

test("it listens on loopback alone", () => {
  const { basic, source } = JSON.parse(settingsText(1, [2, 3])) as Record<string, Record<string, unknown>>;
  expect([basic!["ip"], basic!["restIp"], source!["httpServerIp"]]).toEqual(Array(3).fill("127.0.0.1"));
  expect([basic!["restPort"], basic!["port"], source!["httpServerPort"]]).toEqual([1, 2, 3]);
});

test("a program that the variable names is taken, or none", () => {
  expect(findProgram(kuiper, { KUIPERD: process.execPath, PATH: "" })).toBe(process.execPath);
  expect(findProgram(kuiper, { KUIPERD: "/nowhere/kuiperd", PATH: process.env["PATH"] })).toBeNull();
  expect(findProgram(kuiper, { PATH: "" })).toBeNull();
});

describe.each(programs)("$suite $name", (workload) => {
  const asked = parse(readFileSync(new URL(ekuiper.program, folderOf(workload)), "utf8")) as KuiperProgram;

  test("asks one stream, and follows its time as weir does where there are windows", () => {
    expect(asked.stream).toMatch(/^CREATE STREAM records \(/);
    expect(asked.query).toMatch(/ FROM records\b/);
    const pipeline = readFileSync(new URL("weir.yaml", folderOf(workload)), "utf8");
    const lateness = Number(/lateness: (\d+)s/.exec(pipeline)?.[1]) * 1_000;
    if (!/WINDOW\(/.test(asked.query)) expect(asked.time).toBeUndefined();
    else expect(asked.time).toMatchObject({ lateness_ms: lateness, closing_ms: expect.any(Number) });
  });
});
