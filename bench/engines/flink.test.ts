import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderOf } from "../side-by-side/workload.ts";
import { workloads } from "../workloads/workloads.ts";
import { causeOf, findGateway, flink, statementsOf } from "./flink.ts";

const programs = workloads.filter((workload) => existsSync(new URL(flink.program, folderOf(workload))));

test("statements are split where lines end, comments are left out, and places are quoted", () => {
  const text = `-- A comment; with an end.
SET 'a' = 'b;c';
INSERT INTO answers
  SELECT '$records' FROM t WHERE x = '$rows';
`;
  expect(statementsOf(text, "/it's/here", "/$&")).toEqual([
    "SET 'a' = 'b;c'",
    "INSERT INTO answers\n  SELECT '/it''s/here' FROM t WHERE x = '/$&'",
  ]);
});

describe.each(programs)("$suite $name", (workload) => {
  const text = readFileSync(new URL(flink.program, folderOf(workload)), "utf8");
  const statements = statementsOf(text, "/records.ndjson", "/rows");

  test("reads the records, writes the rows, and has one query, the last", () => {
    expect(statements.filter((statement) => statement.includes("'path' = '/records.ndjson'")).length).toBe(1);
    expect(statements.filter((statement) => statement.includes("'path' = '/rows'")).length).toBe(1);
    const queries = statements.filter((statement) => /^INSERT INTO answers\b/.test(statement));
    expect(queries).toEqual([statements.at(-1)]);
    expect(statements.join()).not.toContain("$");
  });

  test("allows for as much lateness as weir does", () => {
    const pipeline = readFileSync(new URL("weir.yaml", folderOf(workload)), "utf8");
    const lateness = /lateness: (\d+)s/.exec(pipeline)?.[1] ?? "0";
    const allowed = /WATERMARK FOR event_time AS event_time(?: - INTERVAL '(\d+)' SECOND)?/.exec(text);
    if (allowed !== null) expect(allowed[1] ?? "0").toBe(lateness);
    else expect(pipeline).not.toContain("window:");
  });
});

test("workloads that others publish Flink's figures of are among them", () => {
  expect(programs.map(({ name }) => name)).toEqual(expect.arrayContaining(["uc1", "uc2", "uc3", "filter"]));
});

test("the gateway is found by the variable alone where there is one, else beside the flink of PATH", () => {
  const home = mkdtempSync(join(tmpdir(), "weir-flink-test-"));
  try {
    for (const folder of ["home/bin", "path"]) mkdirSync(join(home, folder), { recursive: true });
    const gateway = join(home, "home/bin/sql-gateway.sh");
    for (const name of ["flink", "sql-gateway.sh"])
      writeFileSync(join(home, "home/bin", name), "", { mode: 0o755 });
    symlinkSync(join(home, "home/bin/flink"), join(home, "path/flink"));
    expect(findGateway({ PATH: join(home, "path") })).toBe(gateway);
    expect(findGateway({ PATH: "", FLINK_HOME: join(home, "home") })).toBe(gateway);
    expect(findGateway({ PATH: join(home, "path"), FLINK_HOME: home })).toBeNull();
    expect(findGateway({ PATH: home })).toBeNull();
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test("of an error's trace the deepest cause is told", () => {
  const trace = String.raw`{"errors":["Error.","<a\n\tat b\nCaused by: c: first\n\tat d\nCaused by: e: why\n\tat f"]}`;
  expect(causeOf(trace)).toBe("Caused by: e: why");
  expect(causeOf("else")).toBe("else");
});
