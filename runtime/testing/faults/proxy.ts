// A bad network between a client and a server: it can be cut, swallow what passes, be slow, pass single bytes, end in the
// middle of a message, or deliver single messages late and twice. Knows of what passes only where a message ends.

import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { type Clock, wallClock } from "../../clock.ts";
import { type NatsCommand, NatsCommands } from "./nats-commands.ts";

/** What becomes of bytes. */
export type LinkState =
  | { readonly kind: "fine" }
  /** No connection, and no new one. */
  | { readonly kind: "cut" }
  /** Connections stay, and nothing passes: both ways, or one. New ones get no answer either. */
  | { readonly kind: "black_hole"; readonly way: "both" | "to_server" | "to_client" }
  /** Each piece arrives so much later, in order; up to `more_ms` more by chance. */
  | { readonly kind: "slow"; readonly ms: number; readonly more_ms: number }
  /** So many bytes a second pass, each way, in order; what comes sooner waits here, and whoever sends is held up by it. */
  | { readonly kind: "narrow"; readonly bytes_per_s: number }
  /** The first bytes of each piece arrive one by one, as far as the network takes them apart. */
  | { readonly kind: "sliced" }
  /**
   * Of the connections that begin now, this share of the messages passes up to `ms` late, behind others, and as many pass
   * twice. As a network never does, but a gateway or a server between may.
   */
  | { readonly kind: "shuffled"; readonly share: number; readonly ms: number }
  /** The next piece with at least two bytes is passed by half, and the connection ends. */
  | { readonly kind: "halved" };

const slicesMax = 256;

interface Delayed {
  readonly due: number;
  readonly pass: () => void;
}

interface Line {
  readonly client: Socket;
  readonly server: Socket;
  /** By direction, what is still to pass, in order. */
  readonly delayed: Readonly<Record<"to_server" | "to_client", Delayed[]>>;
  /** By direction, what takes it apart; null where its bytes pass as they are. */
  readonly commands: Readonly<Record<"to_server" | "to_client", NatsCommands>> | null;
}

export class FaultProxy {
  readonly #listener: Server = createServer();
  readonly #lines = new Set<Line>();
  readonly #clock: Clock;
  readonly #random: () => number;
  #state: LinkState = { kind: "fine" };

  private constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** A way to a port of this machine. */
  static async to(port: number, random: () => number, clock: Clock = wallClock): Promise<FaultProxy> {
    const proxy = new FaultProxy(clock, random);
    proxy.#listener.on("connection", (client) => proxy.#join(client, port));
    await new Promise<void>((resolve) => proxy.#listener.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Connections that there are. */
  get connections(): number {
    return this.#lines.size;
  }

  set(state: LinkState): void {
    this.#state = state;
    if (state.kind === "cut") this.drop();
  }

  /** Ends every connection at once, as a reset does. */
  drop(): void {
    for (const { client, server } of this.#lines) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#lines.clear();
  }

  async close(): Promise<void> {
    this.set({ kind: "cut" });
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }

  #join(client: Socket, port: number): void {
    if (this.#state.kind === "cut") {
      client.resetAndDestroy();
      return;
    }
    const server = connect(port, "127.0.0.1");
    client.setNoDelay(true);
    server.setNoDelay(true);
    const commands =
      this.#state.kind === "shuffled"
        ? { to_server: new NatsCommands(), to_client: new NatsCommands() }
        : null;
    const line: Line = { client, server, delayed: { to_server: [], to_client: [] }, commands };
    this.#lines.add(line);
    client.on("data", (bytes) => this.#pass(line, "to_server", bytes));
    server.on("data", (bytes) => this.#pass(line, "to_client", bytes));
    for (const end of [client, server]) {
      end.on("error", () => {});
      end.on("close", () => this.#end(line));
    }
  }

  #end(line: Line): void {
    this.#lines.delete(line);
    line.client.destroy();
    line.server.destroy();
  }

  #pass(line: Line, way: "to_server" | "to_client", bytes: Buffer): void {
    const state = this.#state;
    const to = way === "to_server" ? line.server : line.client;
    if (line.commands !== null) {
      for (const command of line.commands[way].take(bytes)) this.#shuffle(to, command);
      return;
    }
    switch (state.kind) {
      case "black_hole":
        if (state.way === "both" || state.way === way) return;
        break;
      case "slow":
        this.#delay(line, way, bytes, state.ms + this.#random() * state.more_ms);
        return;
      case "narrow":
        this.#delay(line, way, bytes, 0, (bytes.length * 1_000) / state.bytes_per_s);
        return;
      case "sliced":
        // The rest of a long piece would only take time.
        for (let at = 0; at < Math.min(bytes.length, slicesMax); at++) to.write(bytes.subarray(at, at + 1));
        if (bytes.length > slicesMax) to.write(bytes.subarray(slicesMax));
        return;
      case "halved":
        if (bytes.length < 2) break;
        to.end(bytes.subarray(0, bytes.length >> 1), () => this.#end(line));
        return;
      case "shuffled":
      case "fine":
      case "cut":
        break;
    }
    if (line.delayed[way].length > 0) this.#delay(line, way, bytes, 0);
    else to.write(bytes);
  }

  /** What is no message passes at once: only those may be overtaken. */
  #shuffle(to: Socket, { bytes, isMessage }: NatsCommand): void {
    const { share, ms } = this.#state.kind === "shuffled" ? this.#state : { share: 0, ms: 0 };
    const passes = (): void => {
      if (!isMessage || this.#random() >= share) to.write(bytes);
      else this.#clock.after(this.#random() * ms, () => void (to.destroyed || to.write(bytes)));
    };
    passes();
    if (isMessage && this.#random() < share) passes();
  }

  /** Later, and never before what came earlier, behind which it takes `more_ms` to pass. */
  #delay(line: Line, way: "to_server" | "to_client", bytes: Buffer, ms: number, more_ms = 0): void {
    const [from, to] = way === "to_server" ? [line.client, line.server] : [line.server, line.client];
    const delayed = line.delayed[way];
    const now = this.#clock.now();
    const due = Math.max(now + ms, delayed.at(-1)?.due ?? 0) + more_ms;
    // What waits is not to be read without end: the other side's own buffers fill up, as before a narrow link.
    if (more_ms > 0) from.pause();
    delayed.push({
      due,
      pass: () => {
        if (!to.destroyed) to.write(bytes);
        if (more_ms > 0) from.resume();
      },
    });
    // The first, whichever timer it is: those of nearly one moment come in any order.
    this.#clock.after(due - now, () => delayed.shift()!.pass());
  }
}
