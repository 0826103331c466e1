// What QEMU and the system inside are told: nothing that a worker asks for becomes a word of another's command.

import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../limits.ts";
import type { WorkerSpec } from "../driver.ts";
import { acceleratorOf, checkMachine, machineArguments, ordersText } from "./machine-command.ts";
import { doorPort, machineState, outputBegins, outputLines, parseReport } from "./observed-machine.ts";

const spec: WorkerSpec = {
  name: "one",
  revision: "r1",
  command: ["run", "pipelines"],
  environment: { WEIR_PASSWORD: "it's a $(secret)" },
  folders: [{ host: "/srv/state", inside: "/var/lib/weir", writable: true }],
  limits: { memory_bytes: 268_435_456, processors: 1.5 },
};
const system = { kernel: "/s/kernel", initial: "/s/initial", root: "/s/root,1.img" };
const places = {
  folder: "/m",
  order: "/m/order",
  given: "/m/given,1",
  monitor: "/m/monitor",
  output: "/m/output,1",
  report: "/m/report",
  word: "/m/word",
  log: "/m/log",
};

const nothing = { folders: [], files: [] };

describe("the arguments of QEMU", () => {
  const list = machineArguments(spec, "an-id", { system, accelerator: "tcg" }, places, [
    { tag: "shared0", host: "/srv/state", inside: "/var/lib/weir", writable: true },
    { tag: "shared1", host: "/srv/tables,1", inside: "/srv/tables", writable: false },
  ]);
  const after = (option: string): readonly string[] => list.filter((_each, n) => list[n - 1] === option);

  it("bound the machine", () => {
    expect(after("-m")).toEqual(["256"]);
    expect(after("-smp")).toEqual(["2"]);
    expect(after("-uuid")).toEqual(["an-id"]);
  });

  it("let the machine write to its folder only, and let in those who ask at its door", () => {
    expect(after("-drive")).toEqual(["id=root,file=/s/root,,1.img,format=raw,if=none,readonly=on"]);
    expect(after("-fsdev")).toEqual([
      "local,id=orders,path=/m/given,,1,security_model=none,multidevs=remap,readonly=on",
      "local,id=shared0,path=/srv/state,security_model=none,multidevs=remap",
      "local,id=shared1,path=/srv/tables,,1,security_model=none,multidevs=remap,readonly=on",
    ]);
    expect(after("-netdev")).toEqual(["user,id=net,hostfwd=tcp:127.0.0.1:0-10.0.2.15:9180"]);
    expect(after("-sandbox")[0]).toMatch(/^on,.*spawn=deny/);
    expect(after("-chardev")[0]).toContain("path=/m/output,,1");
  });

  it("use the processor itself where it can", () => {
    expect(acceleratorOf("processor : 0\nflags\t\t: fpu vme vmx pae\n")).toBe("kvm");
    expect(acceleratorOf("flags : fpu svm\n")).toBe("kvm");
    expect(acceleratorOf("model name : vmx\nflags : fpu vmx_not\n")).toBe("tcg");
    expect(acceleratorOf("")).toBe("tcg");
  });
});

describe("the orders", () => {
  it("name what is above before what is in it, and files apart", () => {
    const shared = (tag: string, inside: string, writable = false) => ({
      tag,
      host: inside,
      inside,
      writable,
    });
    const text = ordersText(spec, "1000:100", {
      folders: [shared("a", "/srv/weir/data", true), shared("b", "/srv")],
      files: [shared("c", "/srv/weir.yaml")],
    });
    expect(text).toContain(
      "folders='b:ro:/srv a:rw:/srv/weir/data'\nfiles='c:/srv/weir.yaml'\nuser='1000:100'\n",
    );
  });

  it("give the worker its command and its environment, letter by letter", () => {
    const word = fc.string({
      unit: fc.constantFrom("a", " ", "'", '"', "$", "`", "\\", "\n", ";", "é", "*"),
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), word, (command, value) => {
        const text = ordersText({ ...spec, command, environment: { GIVEN: value } }, "1:1", nothing);
        const show = `${text}\nrun_worker ${process.execPath} -e 'process.stdout.write(JSON.stringify([process.env.GIVEN, process.argv.slice(1)]))' --`;
        const { stdout, stderr } = spawnSync("/bin/sh", ["-c", show], { encoding: "utf8" });
        expect(JSON.parse(stdout), stderr).toEqual([value, command]);
      }),
      { numRuns: 30 },
    );
  });
});

describe("a worker is refused", () => {
  const folder = (inside: string) => ({ host: "/srv", inside, writable: false });
  it.each<readonly [string, Partial<WorkerSpec>]>([
    ["for a name that is a path", { name: "../one" }],
    ["with less memory than its system takes", { limits: { memory_bytes: 1_000_000 } }],
    [
      "with more processors than a machine has",
      { limits: { processors: limits.machine_processors_max + 1 } },
    ],
    ["with no processor", { limits: { processors: 0 } }],
    ["with a folder of several words", { folders: [folder("/data and more")] }],
    ["with a folder outside", { folders: [folder("/data/../../etc")] }],
    [
      "with too many folders",
      { folders: Array.from({ length: limits.machine_folders_max + 1 }, (_, n) => folder(`/f${n}`)) },
    ],
    ["with a variable that is a command", { environment: { "A=1; reboot": "x" } }],
  ])("%s", (_name, asked) => {
    expect(() => checkMachine({ ...spec, ...asked })).toThrow(
      expect.objectContaining({ code: "WEIR_WORKER_REFUSED", remedy: expect.any(String) }),
    );
  });

  it("and this one is not", () => {
    expect(() => checkMachine(spec)).not.toThrow();
  });
});

describe("what a machine shows", () => {
  it.each([
    ["", { started: false, outOfMemory: false, code: null }],
    ["started\n", { started: true, outOfMemory: false, code: null }],
    ["started\r\nmemory\r\nexit 137\r\n", { started: true, outOfMemory: true, code: 137 }],
    ["exit 7000\n", { started: false, outOfMemory: false, code: null }],
  ])("reported as %j", (text, report) => {
    expect(parseReport(text)).toEqual(report);
  });

  it.each([
    [true, true, "running"],
    [true, false, "starting"],
    [false, true, "exited"],
    [null, true, "unknown"],
  ] as const)("answers %s, has started %s: %s", (answered, started, state) => {
    expect(machineState(answered, { started, outOfMemory: false, code: null })).toBe(state);
  });

  it("of its network is where its door is", () => {
    const said =
      "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port\n  TCP[HOST_FORWARD]  14       127.0.0.1 35780       10.0.2.15  9180     0     0\n";
    expect(doorPort(said)).toBe(35_780);
    expect(doorPort("hub 0\n")).toBeNull();
    expect(doorPort(null)).toBeNull();
  });

  it("is the worker's own output, from where it begins", () => {
    const console = `[    0.0] Linux version 6\n${outputBegins}\na\r\nb\nc`;
    expect(outputLines(console, 10)).toEqual(["a", "b", "c"]);
    expect(outputLines(console, 2)).toEqual(["b", "c"]);
    expect(outputLines("cut off before\nb\n", 10)).toEqual(["cut off before", "b"]);
    expect(outputLines("", 10)).toEqual([]);
  });
});
