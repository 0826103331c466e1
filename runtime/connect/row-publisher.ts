// Messages as the protocol's own bytes, many in one piece: an object of headers and a command for each cost several times
// as much as the row in it. Publishes in order; knows neither confirmations nor what becomes of a message at a cut.

import { NatsConnectionImpl } from "@nats-io/transport-node";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { OutputRow } from "./connect.ts";
import type { NatsLink } from "./nats-connection.ts";
import { headerText } from "./row-headers.ts";

/** What is used of the client's protocol. */
interface Protocol {
  outMsgs: number;
  outBytes: number;
  sendCommand(bytes: Uint8Array): void;
}

const [carriageReturn, lineFeed] = [13, 10];

export class RowPublisher {
  readonly #protocol: Protocol;
  /** What was handed over is the client's; messages that were added since are `#bytes[#start … #end)`. */
  #bytes = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  constructor({ nats, name }: NatsLink) {
    if (!(nats instanceof NatsConnectionImpl)) {
      throw new WeirError("WEIR_INTERNAL", `nats "${name}": expected a connection of the client for Node`, {
        remedy: "Connect with connectNats.",
      });
    }
    this.#protocol = nats.protocol;
  }

  /** Adds a row, whose subject can be published to. */
  add(row: OutputRow): void {
    this.addMessage(row.subject, headerText(row), row.payload, "");
  }

  /** Adds a message with its block of headers; `reply` is where its answer goes, or empty. */
  addMessage(subject: string, headers: string, payload: Uint8Array, reply: string): void {
    const headersLength = Buffer.byteLength(headers);
    const length = headersLength + payload.length;
    const answer = reply === "" ? "" : `${reply} `;
    const head = `HPUB ${subject} ${answer}${headersLength} ${length}\r\n${headers}`;
    // No UTF-16 unit takes more than three bytes.
    this.#reserve(head.length * 3 + payload.length + 2);
    const bytes = this.#bytes;
    let end = this.#end + bytes.write(head, this.#end);
    bytes.set(payload, end);
    end += payload.length;
    bytes[end++] = carriageReturn;
    bytes[end++] = lineFeed;
    this.#end = end;
    this.#protocol.outMsgs++;
    this.#protocol.outBytes += length;
  }

  /** Hands what was added so far to the client. */
  send(): void {
    if (this.#end === this.#start) return;
    this.#protocol.sendCommand(this.#bytes.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#bytes.length) return;
    this.send();
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(length, limits.encode_chunk_bytes));
    this.#start = 0;
    this.#end = 0;
  }
}
