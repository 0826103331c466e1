// Faults of what is installed: another weir takes over a state and gives it back, and one whose state this one cannot read.

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { WeirError } from "../../errors.ts";
import { parts, sourceUrl } from "../../layout.ts";
import { refused } from "./process-faults.ts";
import { insist, type Scenario } from "./scenario.ts";
import { until } from "./waiting.ts";
import type { Start, World } from "./world.ts";

/** What a weir consists of beside the packages that it uses. */
const pieces = ["runtime", "operators", "package.json", parts["kernel.wasm"]] as const;

const formatFile = "runtime/state/log/block.ts";
const format = "formatVersion = 1;";
const laterFormat = "formatVersion = 2;";

export const buildFaults: readonly Scenario[] = [
  {
    name: "F57",
    about: "another weir is put in the place of this one and back again, then one of another format of state",
    async run(world, isShort) {
      const other = buildIn(join(world.folder, "other"));
      world.begin();
      for (let change = 0; change < (isShort ? 2 : 8); change++) {
        await world.flows(world.random.between(500, 4_000));
        // An upgrade that does not wait, and one that does.
        if (change % 2 === 0) await world.killWorker();
        else
          insist((await world.endWorker()) === 0, `SIGTERM did not end it in order:\n${world.worker.said()}`);
        world.startWorker(change % 2 === 0 ? { weir: other } : {});
      }
      await world.flows();
      await world.killWorker();
      await refusesTheOther(world);
      world.startWorker();
      await world.flows();
    },
  },
];

/** A later weir over an earlier one's state, and the other way round: each says so, and leaves the state as it is. */
async function refusesTheOther(world: World): Promise<void> {
  const later = buildIn(join(world.folder, "later"), [formatFile, format, laterFormat]);
  await refuses(world, { weir: later }, "is of format 1, expected 2");
  const begun = join(world.folder, "begun-by-the-later");
  mkdirSync(begun);
  // It knows nothing of what was sent, so it is to send nothing.
  const connections = [world.edge.url, "cloud=nats://127.0.0.1:1"];
  const worker = world.startAnother({ weir: later, state: begun, connections });
  await until("a state that the later weir has begun", () => logBytes(begun).length > 0 || worker.hasEnded);
  await worker.kill();
  await refuses(world, { state: begun }, "is of format 2, expected 1");
}

async function refuses(world: World, how: Start, saying: string): Promise<void> {
  const before = logBytes(how.state ?? world.state);
  const worker = world.startAnother(how);
  await until("the end of a weir that cannot read the state", () => worker.hasEnded);
  const { code } = await worker.ended;
  insist(code !== null && refused.includes(code), `it ended with ${code}:\n${worker.said()}`);
  insist(worker.hasSaid(saying), `it did not say that the state ${saying}:\n${worker.said()}`);
  insist(logBytes(how.state ?? world.state).equals(before), "the state is not as it was");
}

/** All that the logs of a state hold. */
function logBytes(state: string): Buffer {
  const files = readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(segment|snapshot)-[^.]*$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Buffer.concat(files.map((file) => readFileSync(file)));
}

/** A weir of its own from the sources of this one, with one place changed. */
function buildIn(folder: string, change?: readonly [file: string, from: string, to: string]): URL {
  for (const piece of pieces) cpSync(source(piece), join(folder, piece), { recursive: true });
  symlinkSync(source("node_modules"), join(folder, "node_modules"));
  if (change !== undefined) {
    const [name, from, to] = change;
    const file = join(folder, name);
    const text = readFileSync(file, "utf8");
    insist(text.includes(from), `${name} has no "${from}"`);
    writeFileSync(file, text.replace(from, to));
  }
  return pathToFileURL(join(folder, parts["weir.js"]));
}

function source(path: string): URL {
  const url = sourceUrl(path);
  if (url === null)
    throw new WeirError("WEIR_INTERNAL", "a bundle has no sources to build another weir from");
  return url;
}
