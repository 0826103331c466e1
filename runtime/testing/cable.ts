// A cable between clients and a server, for tests: it can be cut, and it can hold what passes in either direction, also beyond
// the life of the connection that it came from, as a slow network does. Knows nothing of what passes.

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export type Direction = "to_server" | "to_client";

/** One client's connection with its counterpart. */
interface Line {
  readonly client: Socket;
  readonly server: Socket;
  /** What is held, by direction; null where nothing is. */
  readonly held: Record<Direction, Buffer[] | null>;
}

export class Cable {
  readonly #listener: Server;
  readonly #lines = new Set<Line>();
  /** Lines without a client whose bytes are still on their way. */
  readonly #lost = new Set<Line>();
  #isCut = false;

  private constructor(listener: Server) {
    this.#listener = listener;
  }

  /** A cable to a port of this machine. */
  static async to(port: number): Promise<Cable> {
    const listener = createServer();
    const cable = new Cable(listener);
    listener.on("connection", (client) => cable.#join(client, port));
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    return cable;
  }

  /** The port that stands for the server's. */
  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Ends every connection; new ones fail until `mend`. */
  cut(): void {
    this.#isCut = true;
    this.drop();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Ends every connection at the client; what is held on its way to the server stays on its way. */
  drop(): void {
    for (const line of this.#lines) {
      line.client.destroy();
      if (line.held.to_server === null) line.server.destroy();
      else this.#lost.add(line);
    }
    this.#lines.clear();
  }

  /** From now on holds what passes over the connections that there are; those made later are free. */
  hold(direction: Direction): void {
    for (const { held } of this.#lines) held[direction] ??= [];
  }

  /** Lets go of all that is held; of a connection whose client is gone, what was on its way to the server arrives now. */
  release(): void {
    for (const line of [...this.#lines, ...this.#lost]) {
      for (const bytes of line.held.to_server ?? []) line.server.write(bytes);
      for (const bytes of line.held.to_client ?? []) line.client.write(bytes);
      line.held.to_server = null;
      line.held.to_client = null;
    }
    for (const { server } of this.#lost) server.end();
    this.#lost.clear();
  }

  /** Bytes that are held. */
  get held(): number {
    let bytes = 0;
    for (const { held } of [...this.#lines, ...this.#lost])
      for (const chunk of [...(held.to_server ?? []), ...(held.to_client ?? [])]) bytes += chunk.length;
    return bytes;
  }

  close(): Promise<void> {
    this.release();
    this.cut();
    return new Promise((resolve) => this.#listener.close(() => resolve()));
  }

  #join(client: Socket, port: number): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const server = connect(port, "127.0.0.1");
    const line: Line = { client, server, held: { to_server: null, to_client: null } };
    this.#lines.add(line);
    client.on("data", (bytes) =>
      line.held.to_server === null ? server.write(bytes) : line.held.to_server.push(bytes),
    );
    server.on("data", (bytes) =>
      line.held.to_client === null ? client.write(bytes) : line.held.to_client.push(bytes),
    );
    client.on("error", () => {});
    server.on("error", () => {});
    client.on("close", () => {
      if (this.#lost.has(line) || line.held.to_server !== null) return;
      this.#lines.delete(line);
      server.destroy();
    });
    server.on("close", () => {
      this.#lines.delete(line);
      this.#lost.delete(line);
      client.destroy();
    });
  }
}
