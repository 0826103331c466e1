// The bytes of one way of a NATS connection taken apart into whole commands, as its protocol has them: a line each, and behind that of
// a message its payload. For what becomes of single messages; understands no more than where each ends.

export interface NatsCommand {
  readonly bytes: Buffer;
  /** It carries a message, which others may overtake. */
  readonly isMessage: boolean;
}

const lineEnd = Buffer.from("\r\n");
const withPayload: ReadonlySet<string> = new Set(["PUB", "HPUB", "MSG", "HMSG"]);

export class NatsCommands {
  #rest: Buffer = Buffer.alloc(0);

  /** The commands that these bytes complete, in order. */
  *take(bytes: Buffer): Generator<NatsCommand> {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const line = this.#rest.indexOf(lineEnd);
      if (line === -1) return;
      const words = this.#rest.toString("latin1", 0, line).split(/\s+/);
      const isMessage = withPayload.has(words[0]!.toUpperCase());
      const payload = isMessage ? Number(words.at(-1)) + lineEnd.length : 0;
      const end = line + lineEnd.length + payload;
      if (this.#rest.length < end) return;
      yield { bytes: this.#rest.subarray(0, end), isMessage };
      this.#rest = this.#rest.subarray(end);
    }
  }
}
