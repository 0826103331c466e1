// What the reply subject of a delivered message says, read from its bytes, and the messages that wait to be handed out with
// what is needed to acknowledge them: numbers, because an object and a text for each message cost more than the message.

/** What stands in the reply subject of a delivered message. */
export interface Delivered {
  streamSequence: number;
  deliverySequence: number;
  /** How often it was delivered, this time included. */
  deliveries: number;
  /** When the stream stored it, ms since the epoch, and the nanoseconds beyond. */
  stored: number;
  stored_ns: number;
  /** Messages behind it that the consumer has not delivered yet. */
  pending: number;
}

const dot = 46;
const zero = 48;
/** `$JS.ACK` and the names of stream and consumer; in newer forms the domain and the account stand before them. */
const tokensBefore = (tokens: number): number => (tokens === 9 ? 4 : 6);

/** Reads `$JS.ACK.…` of one consumer's messages. */
export class DeliveredReader {
  /** What was read last; one object serves all messages. */
  readonly delivered: Delivered = {
    streamSequence: 0,
    deliverySequence: 0,
    deliveries: 0,
    stored: 0,
    stored_ns: 0,
    pending: 0,
  };
  /** The bytes before the numbers, the same for all messages of a consumer, and how many bytes stand behind them. */
  #prefix = new Uint8Array(0);
  #prefixText = "";
  #suffixText = "";
  #place = 0;

  /** False when it is no such reply. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#isKnown(bytes, start) && !this.#learn(bytes, start, end)) return false;
    const { delivered } = this;
    this.#place = start + this.#prefix.length;
    delivered.deliveries = this.#number(bytes, end);
    delivered.streamSequence = this.#number(bytes, end);
    delivered.deliverySequence = this.#number(bytes, end);
    const time = this.#place;
    let behind = time;
    while (behind < end && bytes[behind] !== dot) behind++;
    delivered.stored = this.#number(bytes, behind - 6);
    this.#place = behind - 6;
    delivered.stored_ns = this.#number(bytes, behind);
    delivered.pending = this.#number(bytes, end);
    return delivered.deliverySequence > 0;
  }

  /** The reply that says so. */
  reply({ deliveries, streamSequence, deliverySequence, stored, stored_ns, pending }: Delivered): string {
    const time = `${stored}${String(stored_ns).padStart(6, "0")}`;
    return `${this.#prefixText}${deliveries}.${streamSequence}.${deliverySequence}.${time}.${pending}${this.#suffixText}`;
  }

  #isKnown(bytes: Uint8Array, start: number): boolean {
    const prefix = this.#prefix;
    // From its end: names differ there, if at all.
    for (let i = prefix.length - 1; i >= 0; i--) if (bytes[start + i] !== prefix[i]) return false;
    return prefix.length > 0;
  }

  #learn(bytes: Uint8Array, start: number, end: number): boolean {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
    const tokens = text.split(".");
    if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) return false;
    const before = tokensBefore(tokens.length);
    this.#prefixText = `${tokens.slice(0, before).join(".")}.`;
    this.#prefix = new Uint8Array(bytes.subarray(start, start + this.#prefixText.length));
    this.#suffixText = tokens
      .slice(before + 5)
      .map((token) => `.${token}`)
      .join("");
    return true;
  }

  /** The digits at the place, which then is behind the dot that ends them. */
  #number(bytes: Uint8Array, end: number): number {
    let value = 0;
    let place = this.#place;
    for (; place < end && bytes[place] !== dot; place++) {
      const digit = bytes[place]! - zero;
      value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN;
    }
    this.#place = place + 1;
    return value;
  }
}
