// The kernel's text files against readings, line by line.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import {
  cpuMeasures,
  loadMeasures,
  memoryMeasures,
  parseCpu,
  parseDisks,
  parseNetwork,
  rateMeasures,
  temperatureMeasure,
} from "./host-readings.ts";
import { HostSampler } from "./host-sampler.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-host-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const statBefore = `cpu  100 0 100 700 100 0 0 0 0 0
cpu0 50 0 50 350 50 0 0 0 0 0
cpu1 50 0 50 350 50 0 0 0 0 0
intr 12345 0 0
ctxt 99`;
const statAfter = `cpu  150 0 150 750 150 0 0 0 40 0
cpu0 100 0 100 350 50 0 0 0 40 0
cpu1 50 0 50 400 100 0 0 0 0 0
cpu2 10 0 0 0 0 0 0 0 0 0`;

it("gives the busy share of each core; waiting for a disk is not busy, a core without a past gives nothing", () => {
  expect(cpuMeasures(parseCpu(statBefore), parseCpu(statAfter))).toEqual([
    { sensor: "cpu", name: "cpu", value: 50, unit: "percent" },
    { sensor: "cpu", name: "cpu0", value: 100, unit: "percent" },
    { sensor: "cpu", name: "cpu1", value: 0, unit: "percent" },
  ]);
  expect(cpuMeasures(parseCpu(statBefore), parseCpu(statBefore))).toEqual([]);
});

it.each([
  ["0.52 0.58 0.59 1/467 12345\n", [0.52, 0.58, 0.59]],
  ["", []],
  ["a b c", []],
])("reads the load of %j", (text, values) => {
  expect(loadMeasures(text).map(({ value }) => value)).toEqual(values);
});

it.each([
  [
    "MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable:   250 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
    { used: 75, available: 256_000 },
  ],
  [
    "MemTotal: 1000 kB\nMemAvailable: 1000 kB\nSwapTotal: 200 kB\nSwapFree: 150 kB\n",
    { used: 0, available: 1_024_000, swap: 25 },
  ],
  ["MemTotal: 1000 kB\n", {}],
  ["", {}],
])("reads the memory of %j", (text, expected) => {
  const measures = memoryMeasures(text);
  expect(Object.fromEntries(measures.map(({ name, value }) => [name, value]))).toEqual(expected);
});

const network = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9999     10    0    0    0     0          0         0     9999      10    0    0    0     0       0          0
  eth0:1000      10    0    0    0     0          0         0     2000      20    0    0    0     0       0          0
`;

it("reads the bytes of each interface but loopback, and what they grew by a second", () => {
  const before = parseNetwork(network);
  expect([...before]).toEqual([["eth0", [1000, 2000]]]);
  const after = parseNetwork(network.replace("eth0:1000", "eth0: 6000"));
  expect(rateMeasures("network", ["received", "sent"], before, after, 2)).toEqual([
    { sensor: "network", name: "eth0.received", value: 2500, unit: "bytes/s" },
    { sensor: "network", name: "eth0.sent", value: 0, unit: "bytes/s" },
  ]);
});

it("gives no rate for a counter that went back, and none for no time", () => {
  const before = new Map([["eth0", [100, 100]]]);
  const after = new Map([["eth0", [50, 200]]]);
  expect(rateMeasures("network", ["received", "sent"], before, after, 1).map(({ name }) => name)).toEqual([
    "eth0.sent",
  ]);
  expect(rateMeasures("network", ["received", "sent"], before, after, 0)).toEqual([]);
});

it("reads whole disks and leaves partitions and memory devices out", () => {
  const text = `   7       0 loop0 1 2 3 4 5 6 7 8 9
   8       0 sda 10 0 100 5 20 0 200 5 0 0 0
   8       1 sda1 10 0 100 5 20 0 200 5 0 0 0
 259       0 nvme0n1 1 0 2 0 1 0 4 0 0 0 0
 254       0 vda`;
  expect([...parseDisks(text)]).toEqual([
    ["sda", [51_200, 102_400]],
    ["nvme0n1", [1024, 2048]],
  ]);
});

it.each([
  ["45123\n", 45.12],
  ["-5000", -5],
  ["", null],
  ["abc", null],
  ["9999999", null],
])("reads the temperature %j", (text, value) => {
  expect(temperatureMeasure("zone", text)?.value ?? null).toBe(value);
});

it("samples a folder that looks like a host, and has no sensor where there is no file", async () => {
  mkdirSync(join(folder, "proc/net"), { recursive: true });
  mkdirSync(join(folder, "sys/class/thermal/thermal_zone0"), { recursive: true });
  mkdirSync(join(folder, "sys/class/hwmon/hwmon1"), { recursive: true });
  writeFileSync(join(folder, "proc/stat"), statBefore);
  writeFileSync(join(folder, "sys/class/thermal/thermal_zone0/type"), "soc\n");
  writeFileSync(join(folder, "sys/class/thermal/thermal_zone0/temp"), "51000\n");
  writeFileSync(join(folder, "sys/class/hwmon/hwmon1/name"), "k10temp\n");
  writeFileSync(join(folder, "sys/class/hwmon/hwmon1/temp1_input"), "40500\n");
  const sampler = new HostSampler(["cpu", "load", "memory", "network", "temperature"], folder);
  await sampler.sample(1_000, 1_000);
  writeFileSync(join(folder, "proc/stat"), statAfter);
  expect(await sampler.sample(2_000, 2_000)).toEqual([
    { sensor: "cpu", name: "cpu", ts: 2_000, value: 50, unit: "percent" },
    { sensor: "cpu", name: "cpu0", ts: 2_000, value: 100, unit: "percent" },
    { sensor: "cpu", name: "cpu1", ts: 2_000, value: 0, unit: "percent" },
    { sensor: "temperature", name: "thermal_zone0.soc", ts: 2_000, value: 51, unit: "celsius" },
    { sensor: "temperature", name: "hwmon1.k10temp.temp1", ts: 2_000, value: 40.5, unit: "celsius" },
  ]);
});
