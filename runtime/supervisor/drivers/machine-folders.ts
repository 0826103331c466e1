// The folders of machines, one each by its worker's name: what was ordered, what the guest is given, where its sockets are and what it
// said. Makes and reads files; starts nothing.

import {
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { WeirError } from "../../errors.ts";
import { makeFolder } from "../../folder.ts";
import { limits } from "../../limits.ts";
import type { WorkerSpec } from "../driver.ts";
import { type Accelerator, type MachinePlaces, ordersText, type Shared } from "./machine-command.ts";

/** What was ordered. */
export interface Order {
  /** Of the machine, and of its process: it stands in the command line. */
  readonly id: string;
  readonly name: string;
  readonly revision: string;
  /** Wall clock ms. */
  readonly started: number;
  readonly accelerator: Accelerator;
}

export interface KeptOrder {
  readonly order: Order;
  readonly places: MachinePlaces;
}

/** A file's text; empty where there is none. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function placesIn(folder: string): MachinePlaces {
  const place = (name: string): string => join(folder, name);
  return {
    folder,
    order: place("order.json"),
    given: place("given"),
    monitor: place("monitor.sock"),
    output: place("output.log"),
    report: place("report.log"),
    word: place("word.sock"),
    log: place("qemu.log"),
  };
}

export class MachineFolders {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  open(): void {
    makeFolder(this.#folder, 0o700);
  }

  /** The places of a worker's machine, whether or not it is there. */
  of(worker: string): MachinePlaces {
    return placesIn(join(this.#folder, worker));
  }

  /** Makes the folder of a new machine; refuses a name that is taken, or too long for a socket. */
  make(worker: string): MachinePlaces {
    const places = this.of(worker);
    if (Buffer.byteLength(places.monitor) > limits.socket_path_bytes_max) {
      const message = `worker ${worker}: ${places.folder} is too long for a socket in it`;
      const remedy = "name a shorter folder for machines, or a shorter worker";
      throw new WeirError("WEIR_WORKER_REFUSED", message, { remedy });
    }
    try {
      // To make a folder is what only one of several can do.
      mkdirSync(places.folder, { mode: 0o700 });
    } catch {
      throw new WeirError("WEIR_WORKER_REFUSED", `there is a worker ${worker} already`, {
        remedy: "stop and remove it first",
      });
    }
    return places;
  }

  /** Writes down what is ordered and what the guest is given; returns which folders it shares. */
  write(places: MachinePlaces, order: Order, spec: WorkerSpec, user: string): readonly Shared[] {
    const given = givenTo(spec);
    mkdirSync(places.given, { mode: 0o755 });
    const [owner = 0, group = 0] = user.split(":").map(Number);
    for (const { host, tag } of given.files) {
      copyFileSync(host, join(places.given, tag));
      if (process.getuid?.() === 0) chownSync(join(places.given, tag), owner, group);
    }
    writeFileSync(join(places.given, "orders"), ordersText(spec, user, given));
    writeFileSync(places.order, JSON.stringify(order));
    return given.folders;
  }

  /** What was ordered and has not been removed. A folder without an order is one that is being made. */
  orders(): readonly KeptOrder[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const places = this.of(name);
      try {
        return [{ order: JSON.parse(readFileSync(places.order, "utf8")) as Order, places }];
      } catch {
        return [];
      }
    });
  }

  /** By the machine's identity; null where there is none. */
  byId(id: string): KeptOrder | null {
    return this.orders().find(({ order }) => order.id === id) ?? null;
  }
}

/** What a worker is given: folders as they are, files as they are now. */
function givenTo({ folders }: WorkerSpec): Readonly<Record<"folders" | "files", readonly Shared[]>> {
  const all = folders.map((folder, n) => ({ ...folder, tag: `shared${n}` }));
  const { folders: shared = [], files = [] } = Object.groupBy(all, ({ host }) =>
    statSync(host).isDirectory() ? "folders" : "files",
  );
  return { folders: shared, files };
}

/** QEMU adds to the file for ever; what is more than is kept goes. */
export function boundOutput({ output }: MachinePlaces): void {
  const bytes = statSync(output, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > limits.worker_log_file_bytes_max) truncateSync(output);
}
