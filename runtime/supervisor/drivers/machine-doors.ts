// Lets workers in guests be asked as those that are processes here: what comes to a worker's socket file goes on to the door of its
// machine, byte for byte, and back. Only as long as its supervisor runs; the next one opens the doors anew. Reads nothing of it.

import { chmodSync, existsSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface MachineDoorsOptions {
  /** The socket file of a worker. */
  readonly socketOf: (worker: string) => string;
  /** The port of this host that leads into its guest; null where there is none just now. */
  readonly portOf: (worker: string) => Promise<number | null>;
}

export class MachineDoors {
  readonly #options: MachineDoorsOptions;
  readonly #servers = new Map<string, Server>();

  constructor(options: MachineDoorsOptions) {
    this.#options = options;
  }

  /** Opens the door of a worker, where it is not open or its file was tidied away. */
  open(worker: string): void {
    const path = this.#options.socketOf(worker);
    if (this.#servers.has(worker) && existsSync(path)) return;
    this.close(worker);
    rmSync(path, { force: true });
    const server = createServer((socket) => void this.#lead(socket, worker));
    // Where it cannot be opened now, it is tried again with the next look.
    server.on("error", () => this.#servers.delete(worker));
    server.listen(path, () => chmodSync(path, 0o600));
    server.unref();
    this.#servers.set(worker, server);
  }

  close(worker: string): void {
    this.#servers.get(worker)?.close();
    this.#servers.delete(worker);
  }

  closeAll(): void {
    for (const worker of this.#servers.keys()) this.close(worker);
  }

  async #lead(from: Socket, worker: string): Promise<void> {
    from.on("error", () => from.destroy());
    const port = await this.#options.portOf(worker);
    if (port === null) return void from.destroy();
    const to = connect(port, "127.0.0.1");
    to.on("error", () => to.destroy());
    to.on("close", () => from.destroy());
    from.on("close", () => to.destroy());
    from.pipe(to).pipe(from);
  }
}
