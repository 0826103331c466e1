// Workers as processes of this machine. They outlive their supervisor: what is known of each is in files, and a
// supervisor that starts again finds them by process number and time of birth. Decides nothing.

import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, sleep } from "../../clock.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { makeFolder } from "../../folder.ts";
import { limits } from "../../limits.ts";
import type { Driver, ObservedWorker, WorkerSpec, WorkerStats } from "../driver.ts";
import { endMembers, makeControlGroup, removeControlGroup, wasOutOfMemory } from "./control-groups.ts";
import { bootMark, isHidden, processBegan, processUse } from "./process-facts.ts";
import { ProcessFiles, processFolders, type ProcessMark, type ProcessOrder } from "./process-files.ts";
import { checkSpec } from "./worker-name.ts";

export interface ProcessDriverOptions {
  /** Where what is known of workers lies; one folder is one supervisor's. */
  readonly folder: string;
  /** Tells control groups of one supervisor from those of another. */
  readonly supervisor: string;
  /** A program and its first arguments, before a worker's command: Node and weir. */
  readonly program: readonly [string, ...string[]];
  readonly clock: Clock;
}

// Waits for the worker, so that its exit code is known even when its supervisor is gone meanwhile. It runs nothing
// when its folder has been given to another since. It starts no programs that the shell can do without: many workers start at once. Arguments: folder, handle, boot mark, control groups in one
// text, then the command.
const guardScript = `
folder=$1; id=$2; boot=$3; groups=$4; shift 4
order=; read -r order < "$folder/order.json"
case $order in *"\\"$id\\""*) ;; *) exit 0;; esac
for group in $groups; do echo $$ > "$group/cgroup.procs"; done
"$@" </dev/null >>"$folder/output.log" 2>&1 &
worker=$!
if read -r stat < "/proc/$worker/stat"; then set -- \${stat##*) }; began=\${20}
else began=$(ps -p "$worker" -o lstart=); fi
printf '%s\\n%s\\n%s\\n%s\\n' "$worker" "$began" "$boot" "$$" > "$folder/process.new" && mv "$folder/process.new" "$folder/process"
trap '' TERM INT HUP
wait "$worker"
code=$?
echo "$code" > "$folder/end.new" && mv "$folder/end.new" "$folder/end"
`;

/** Part of a memory limit that JavaScript objects may fill before the collector does all that it can. */
const heapShare = 0.75;

export class ProcessDriver implements Driver {
  readonly kind = "process" as const;
  readonly #options: ProcessDriverOptions;
  readonly #boot: string = bootMark();

  constructor(options: ProcessDriverOptions) {
    this.#options = options;
  }

  open(): Promise<string> {
    const { folder, program } = this.#options;
    try {
      makeFolder(folder, 0o700);
    } catch (error) {
      return Promise.reject(
        new WeirError("WEIR_FILE", `${folder} cannot be made: ${messageOf(error)}`, {
          remedy: "name a folder that this user may write with --state",
        }),
      );
    }
    return Promise.resolve([...program, process.version, digestOf(program.at(-1)!)].join("\n"));
  }

  async start(spec: WorkerSpec): Promise<string> {
    checkSpec(spec);
    const { supervisor, clock } = this.#options;
    const apart = spec.folders.find(({ host, inside }) => host !== inside);
    if (apart !== undefined) {
      throw new WeirError("WEIR_CONFIG", `a process sees ${apart.host} where it is, not as ${apart.inside}`);
    }
    const id = `${spec.name}.${randomUUID().slice(0, 8)}`;
    const files = this.#filesOf(spec.name);
    if (!files.take()) throw nameTaken(spec.name);
    const group = makeControlGroup(`weir-${supervisor}-${id}`, spec.limits);
    const groups = group?.folders ?? [];
    const watched_bytes = group === null ? (spec.limits.memory_bytes ?? null) : null;
    files.write({
      id,
      name: spec.name,
      revision: spec.revision,
      ordered: clock.now(),
      watched_bytes,
      groups,
    });
    this.#launch(spec, id, files, groups);
    const until = clock.elapsed() + limits.process_start_ms_max;
    while (files.mark() === null && clock.elapsed() < until) await sleep(clock, limits.process_poll_ms);
    if (files.mark() !== null) return id;
    files.remove();
    removeControlGroup({ folders: groups });
    throw new WeirError(
      "WEIR_WORKER",
      `worker ${spec.name} was not started within ${limits.process_start_ms_max} ms`,
    );
  }

  async stop(id: string, grace_ms: number): Promise<void> {
    const found = this.#find(id);
    if (found === null) return;
    this.#signal(found, "SIGTERM");
    if (await this.#gone(found, grace_ms)) return;
    await this.kill(id);
  }

  async kill(id: string): Promise<void> {
    const found = this.#find(id);
    if (found === null) return;
    this.#signal(found, "SIGKILL");
    const { pid, guard } = found.files.mark() ?? { pid: 0, guard: null };
    endMembers({ folders: found.order.groups }, [pid, guard ?? 0]);
    if (await this.#gone(found, limits.process_end_ms_max)) return;
    throw new WeirError("WEIR_WORKER", `worker ${found.order.name} does not end though it was killed`, {
      remedy:
        "its process may wait for a disk or a device; the machine has to be started again where it stays",
    });
  }

  async remove(id: string): Promise<void> {
    const { clock } = this.#options;
    const found = this.#find(id);
    if (found === null) return;
    if (this.#lives(found)) throw new WeirError("WEIR_WORKER", `worker ${found.order.name} runs`);
    found.files.remove();
    const group = { folders: found.order.groups };
    const until = clock.elapsed() + limits.process_end_ms_max;
    endMembers(group, []);
    while (!removeControlGroup(group) && clock.elapsed() < until) await sleep(clock, limits.process_poll_ms);
  }

  async list(): Promise<readonly ObservedWorker[]> {
    const all = this.#all();
    // One that has just ended is told with how it ended.
    for (const each of all) if (!this.#lives(each)) await this.#written(each);
    return all.map((each) => this.#observe(each));
  }

  logs(id: string, lines: number): Promise<readonly string[]> {
    const found = this.#find(id);
    return found === null ? Promise.reject(noWorker(id)) : Promise.resolve(found.files.lastLines(lines));
  }

  stats(id: string): Promise<WorkerStats> {
    const found = this.#find(id);
    const mark = found?.files.mark() ?? null;
    const use = found === null || mark === null || !this.#lives(found) ? null : processUse(mark.pid);
    return use === null ? Promise.reject(noWorker(id)) : Promise.resolve(use);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #launch(spec: WorkerSpec, id: string, files: ProcessFiles, groups: readonly string[]): void {
    const [program, ...before] = this.#options.program;
    const { memory_bytes } = spec.limits;
    const heap =
      memory_bytes === undefined
        ? []
        : [`--max-old-space-size=${Math.ceil((memory_bytes * heapShare) / 1024 ** 2)}`];
    const command = [program, ...heap, ...before, ...spec.command];
    const guard = spawn(
      "/bin/sh",
      ["-c", guardScript, "weir-worker-guard", files.folder, id, this.#boot, groups.join(" "), ...command],
      { stdio: "ignore", detached: true, env: { ...spec.environment } },
    );
    // That it could not be started shows in that it never has a process.
    guard.on("error", () => undefined);
    guard.unref();
  }

  #filesOf(name: string): ProcessFiles {
    return new ProcessFiles(join(this.#options.folder, name));
  }

  #all(): readonly Known[] {
    return processFolders(this.#options.folder).flatMap((files): Known[] => {
      const order = files.order();
      if (order !== null) return [{ files, order }];
      // Whoever took the name died before it had written what for.
      if (this.#options.clock.now() - (files.taken() ?? 0) > limits.process_start_ms_max) files.remove();
      return [];
    });
  }

  #find(id: string): Known | null {
    return this.#all().find(({ order }) => order.id === id) ?? null;
  }

  /** Throws where nobody can tell: what is hidden is not gone, and nothing may be started in its place. */
  #isThere({ pid, began, boot }: ProcessMark): boolean {
    if (boot !== this.#boot || began === "") return false;
    if (isHidden(pid)) throw hidden(pid);
    return processBegan(pid) === began;
  }

  #lives({ files, order }: Known): boolean {
    const mark = files.mark();
    if (mark !== null) return files.end() === null && this.#isThere(mark);
    return this.#options.clock.now() - order.ordered < limits.process_start_ms_max;
  }

  #observe(known: Known): ObservedWorker {
    const { files, order } = known;
    const mark = files.mark();
    const alive = this.#lives(known);
    files.turnOutput();
    if (alive && mark !== null && order.watched_bytes !== null)
      this.#watchMemory(known, mark, order.watched_bytes);
    const code = files.end();
    return {
      id: order.id,
      name: order.name,
      revision: order.revision,
      state: !alive ? "exited" : mark === null ? "starting" : "running",
      exitCode: alive || code === null || code > 128 ? null : code,
      outOfMemory:
        files.isOutOfMemory() || (order.groups.length > 0 && wasOutOfMemory({ folders: order.groups })),
      started: order.ordered,
    };
  }

  /** Where the kernel holds no limit, one that is above it is ended here. */
  #watchMemory(known: Known, { pid }: ProcessMark, most: number): void {
    const use = processUse(pid);
    if (use === null || use.memory_bytes <= most) return;
    known.files.noteOutOfMemory();
    this.#signal(known, "SIGKILL");
  }

  #signal({ files }: Known, signal: NodeJS.Signals): void {
    const mark = files.mark();
    if (mark === null || !this.#isThere(mark)) return;
    try {
      process.kill(mark.pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }

  /** Whether it has ended, and how is written down where anybody is left to do so, within that time. */
  async #gone(known: Known, ms: number): Promise<boolean> {
    const { clock } = this.#options;
    const until = clock.elapsed() + ms;
    while (this.#lives(known) && clock.elapsed() < until) await sleep(clock, limits.process_poll_ms);
    if (this.#lives(known)) return false;
    await this.#written(known);
    return true;
  }

  /** Resolves once it is written down how it ended, or that nobody knows. */
  async #written(known: Known): Promise<void> {
    const { clock } = this.#options;
    const until = clock.elapsed() + limits.process_end_ms_max;
    while (!known.files.hasEnd() && this.#isGuarded(known) && clock.elapsed() < until)
      await sleep(clock, limits.process_poll_ms);
    if (!known.files.hasEnd() && known.files.taken() !== null) known.files.noteLostEnd();
  }

  /** Somebody is left who will write down how it ended. */
  #isGuarded({ files }: Known): boolean {
    const guard = files.mark()?.guard ?? null;
    return guard !== null && processBegan(guard) !== null;
  }
}

/** Of a bundle's first file, which names all others by what is in them: another one may lie in the same place by now. */
function digestOf(file: string): string {
  return existsSync(file) ? createHash("sha256").update(readFileSync(file)).digest("hex") : "";
}

interface Known {
  readonly files: ProcessFiles;
  readonly order: ProcessOrder;
}

function nameTaken(name: string): WeirError {
  return new WeirError("WEIR_WORKER", `there is a worker ${name} already`, {
    remedy: "stop and remove it first, or take another name",
  });
}

function hidden(pid: number): WeirError {
  return new WeirError(
    "WEIR_WORKER",
    `there is a process ${pid}, which may be a worker's, and /proc does not show it`,
    {
      remedy:
        "a unit of systemd with ProtectProc=invisible has no PrivateUsers=yes; end the process where it is left from such a one",
    },
  );
}

function noWorker(id: string): WeirError {
  return new WeirError("WEIR_WORKER", `no worker runs as ${id}`, { remedy: "weir status lists them" });
}
