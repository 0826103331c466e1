// A thread of the fuzz run: tries a range of inputs of one target and says which it is at, so that one that never ends is known.

import { parentPort, workerData } from "node:worker_threads";
import { faultOf, shrunk } from "./attempt.ts";
import { inputOf } from "./mutate.ts";
import { fuzzTarget } from "./targets.ts";

/** A range of inputs. */
export interface FuzzOrder {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}

export interface Finding {
  readonly target: string;
  readonly number: number;
  readonly fault: string;
  /** Made as small as it goes, base64; null where the thread had to be ended. */
  readonly input: string | null;
}

const port = parentPort;
if (port === null) throw new Error("fuzz-thread.ts is a thread of run.ts");
const place = new Int32Array(workerData as SharedArrayBuffer);

async function perform({ target: name, seed, from, count }: FuzzOrder): Promise<Finding | null> {
  const target = fuzzTarget(name);
  for (let number = from; number < from + count; number++) {
    Atomics.store(place, 0, number);
    const input = inputOf(target, seed, number);
    const fault = await faultOf(target, input);
    if (fault === null) continue;
    const small = await shrunk(target, input);
    return { target: name, number, fault, input: Buffer.from(small).toString("base64") };
  }
  return null;
}

port.on("message", (order: FuzzOrder) => void perform(order).then((finding) => port.postMessage(finding)));
