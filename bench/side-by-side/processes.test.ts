import { spawn } from "node:child_process";
import { once } from "node:events";
import { platform } from "node:os";
import { expect, test } from "vitest";
import { peakResident_mb, processorSeconds, treeOf } from "./processes.ts";

test.runIf(platform() === "linux")("a process, what it started, and what they used are found", async () => {
  const program = `require("child_process").spawn(process.execPath, ["-e", "while (process.cpuUsage().user < 250e3);console.log('done');setTimeout(() => {}, 60000)"], { stdio: ["ignore", "inherit", "ignore"] }); setTimeout(() => {}, 60000)`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    await once(child.stdout, "data");
    const tree = treeOf(child.pid!);
    expect(tree.length).toBe(2);
    expect(processorSeconds(tree)!).toBeGreaterThan(0.2);
    expect(peakResident_mb(tree)!).toBeGreaterThan(40);
  } finally {
    for (const pid of treeOf(child.pid!)) process.kill(pid);
  }
  expect(processorSeconds([2 ** 22 + 1])).toBeNull();
});
