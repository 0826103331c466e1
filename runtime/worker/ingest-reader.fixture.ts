// A reader of a journal that is killed at any time, with a commit log of lines: each says what was read and where to go on.
// Like a worker it keeps an ingest running. Arguments: state folder, address of the server, file of lines.

import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  truncateSync,
} from "node:fs";
import { payloadAt } from "../batch/payloads.ts";
import { wallClock } from "../clock.ts";
import { journalSource } from "../connect/journal/journal-source.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import type { Plain } from "../state/plain.ts";
import { IngestKeeper } from "./ingest-keeper.ts";
import { ingestFolder, type IngestPlan, journalFolder } from "./ingest-plan.ts";

const [state = "", url = "", lines = "", subject = "in.>"] = process.argv.slice(2);

/** What was committed; a last line that was not finished was not. */
function lastPosition(): Plain {
  if (!existsSync(lines)) return null;
  const text = readFileSync(lines, "utf8");
  const end = text.lastIndexOf("\n") + 1;
  truncateSync(lines, Buffer.byteLength(text.slice(0, end)));
  const last = text.slice(0, end).trimEnd().split("\n").at(-1);
  return last === undefined || last === ""
    ? null
    : (JSON.parse(last) as { readonly position: Plain }).position;
}

const folder = journalFolder(state, "test", "source");
const plan: IngestPlan = {
  folder: ingestFolder(state, "test"),
  jobs: [
    {
      folder,
      to: "default",
      subject,
      framing: "message",
      overflow: "drop_oldest",
      bytes: 100_000_000,
      age: 3_600_000,
      sequence: "s",
    },
  ],
  connections: { default: { url } },
  attended: true,
};
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const log = { info: say, warn: say, error: say };
const keeper = new IngestKeeper({ plan, clock: wallClock, log, identity: String(process.pid), asks: false });
await keeper.start();

const source = journalSource({ disk: await FileDisk.open(folder), name: "source", log });
await source.open(lastPosition());
say("reading");
const file = openSync(lines, "a");
process.on("SIGTERM", () => {
  keeper.stop();
  closeSync(file);
  process.kill(process.pid, "SIGKILL");
});
for (;;) {
  const delivery = await source.read({ rows: 500, bytes: 1_000_000, wait_ms: 50, age_ms: 5 });
  if (delivery === null || delivery === "end") continue;
  const { payloads, position } = delivery;
  const numbers = Array.from(
    { length: payloads.count },
    (_, row) => (JSON.parse(Buffer.from(payloadAt(payloads, row)).toString()) as { readonly n: number }).n,
  );
  appendFileSync(file, `${JSON.stringify({ numbers, position, dropped: source.stats().dropped })}\n`);
  fsyncSync(file);
  await source.commit(position);
}
