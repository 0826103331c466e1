// A worker with a state folder on the text of a pipeline, running, for inputs that come over a real nats-server.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { wallClock } from "../../clock.ts";
import { loadInput, readInput } from "../../engine/loader.ts";
import { defaultSettings, withConnections } from "../../worker/settings.ts";
import { Worker, type WorkerStatus } from "../../worker/worker.ts";

export interface RunningWorker {
  status(): WorkerStatus;
  /** Resolves once it has drained and is closed. */
  end(): Promise<void>;
}

/** `folder` holds the file and the state. */
export async function runWorker(
  folder: string,
  url: string,
  { name, text }: { readonly name: string; readonly text: string },
): Promise<RunningWorker> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, text);
  const loaded = await loadInput(readInput(file, {}), file);
  const settings = withConnections(defaultSettings({}), [url]);
  const worker = new Worker({
    settings: { ...settings, threads: 0, state: join(folder, "state", name) },
    clock: wallClock,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    identity: "test",
  });
  await worker.open([loaded]);
  const ended = worker.run();
  return {
    status: () => worker.status()[0]!,
    async end() {
      worker.stop().catch(() => undefined);
      await ended;
      await worker.close();
    },
  };
}
