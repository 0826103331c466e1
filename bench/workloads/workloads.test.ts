// Every program of every workload makes the rows that weir makes. Engines that are not here are left out.

import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { engines } from "../engines/engines.ts";
import { folderOf, type Workload } from "../side-by-side/workload.ts";
import type { Engine } from "../side-by-side/engine.ts";
import { streamFile } from "./stream.ts";
import { workloads } from "./workloads.ts";

const records = 12_000;
/** Threads and a runtime of its own take long to start, and say nothing more about the rows. */
const slow: ReadonlySet<string> = new Set(["Node-RED", "Flink", "eKuiper"]);
const inProcess = ({ name, threads }: Engine): boolean => threads === 1 && !slow.has(name);

async function rowsOf(engine: Engine, workload: Workload): Promise<readonly string[]> {
  const session = await engine.open({
    folder: folderOf(workload),
    file: streamFile(workload, records),
    records,
  });
  const rows = (await session.pass(true)).rows!.map(workload.canonical);
  await session.close?.();
  return rows.sort();
}

describe.each(workloads)("$suite $name", (workload) => {
  const able = engines.filter(
    (engine) =>
      inProcess(engine) &&
      engine.workloads?.includes(workload.name) !== false &&
      existsSync(new URL(engine.program, folderOf(workload))) &&
      engine.missing() === null,
  );

  test("is a stream of records that is the same every time", () => {
    const [once, again] = [[...workload.stream(100)], [...workload.stream(100)]];
    expect(once).toEqual(again);
    expect(once.length).toBe(100);
    expect(once.every((text) => JSON.stringify(JSON.parse(text)) === text)).toBe(true);
  });

  test("is answered alike by weir and the program by hand", async () => {
    expect(able.map(({ name }) => name)).toEqual(expect.arrayContaining(["weir", "JSON.parse + Map"]));
    const expected = await rowsOf(able[0]!, workload);
    expect(expected.length).toBeGreaterThan(0);
    for (const engine of able.slice(1)) expect(await rowsOf(engine, workload), engine.name).toEqual(expected);
  });
});
