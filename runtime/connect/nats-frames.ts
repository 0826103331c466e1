// Messages of chosen subscriptions straight from what the socket read, without an object or a text for each of them: about
// a third of what the client's own parser costs. That parser still reads everything else, and whatever part of a message came
// alone; so reconnects, TLS and authentication stay the client's. Never keeps a byte beyond the call.

import {
  NatsConnectionImpl,
  type NatsConnection,
  type Parser,
  State,
  type Subscription,
} from "@nats-io/transport-node";
import { limits } from "../limits.ts";

/** A whole message where the socket's bytes hold it. One object serves all of them: it is valid during the call. */
export interface Frame {
  bytes: Uint8Array;
  subjectStart: number;
  subjectEnd: number;
  /** Equal to `replyEnd` where there is none. */
  replyStart: number;
  replyEnd: number;
  /** The payload, behind the headers where there are any. */
  start: number;
  end: number;
  /** Counts what the socket read: equal for messages that came together. */
  read: number;
}

export interface FrameTaker {
  /** Takes a message; false leaves it to the subscription's callback. */
  take(frame: Frame): boolean;
  /** What was taken so far came together: other things come first now, or the bytes are read to their end. */
  settle?(): void;
}

const readers = new WeakMap<NatsConnection, FrameReader>();

/**
 * Gives messages of the subscription to `taker` first, until it ends. A connection of another make than the one that
 * this was written for is left alone: its callback gets every message.
 */
export function takeFrames(nats: NatsConnection, subscription: Subscription, taker: FrameTaker): void {
  if (!(nats instanceof NatsConnectionImpl)) return;
  let reader = readers.get(nats);
  if (reader === undefined) {
    reader = new FrameReader(nats.protocol);
    readers.set(nats, reader);
  }
  reader.add(subscription, taker);
}

/** What is used of the client's protocol: it makes a new parser for each connect. */
interface Protocol {
  parser: Parser;
  /** Cuts the connection, which is then made anew. */
  disconnect(): void;
  inMsgs: number;
  inBytes: number;
}

const lineFeed = 10;
const space = 32;
const zero = 48;
const [letterH, letterM, letterS, letterG] = [72, 77, 83, 71];

export class FrameReader {
  readonly #protocol: Protocol;
  readonly #takers = new Map<number, FrameTaker>();
  readonly #frame: Frame = {
    bytes: new Uint8Array(0),
    subjectStart: 0,
    subjectEnd: 0,
    replyStart: 0,
    replyEnd: 0,
    start: 0,
    end: 0,
    read: 0,
  };
  #parser: Parser;
  /** What came is no protocol, or not one that can be read to its end; nothing of this connection is read any more. */
  #isBroken = false;
  /** Of the message that was read last: its subscription, and where it ends with its line end. */
  #sid = 0;
  #behind = 0;

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
    this.#parser = protocol.parser;
    const own = { parse: (bytes: Uint8Array): void => this.#read(bytes) };
    Object.defineProperty(protocol, "parser", {
      get: () => own,
      set: (parser: Parser) => {
        this.#parser = parser;
        this.#isBroken = false;
      },
    });
  }

  add(subscription: Subscription, taker: FrameTaker): void {
    const sid = subscription.getID();
    this.#takers.set(sid, {
      // One that has just ended must get no more of what the socket read with its last message.
      take: (frame) => !subscription.isClosed() && taker.take(frame),
      settle: () => taker.settle?.(),
    });
    void subscription.closed.finally(() => this.#takers.delete(sid));
  }

  #read(chunk: Uint8Array): void {
    if (this.#isBroken) return;
    const { buffer, byteOffset, length } = chunk;
    const text = Buffer.from(buffer, byteOffset, length);
    // Parts of a plain array are made quicker than parts of a Buffer.
    this.#frame.bytes = new Uint8Array(buffer, byteOffset, length);
    this.#frame.read++;
    let at = 0;
    while (at < length) {
      if (this.#parser.state === State.OP_START) at = this.#takeAll(text, at);
      if (at === length) return;
      const to = Math.min(this.#leave(text, at), length);
      if (!this.#parse(chunk.subarray(at, to))) {
        // The client itself would say so on standard output, and notice by its pings alone that nothing comes any more.
        this.#isBroken = true;
        this.#protocol.disconnect();
        return;
      }
      at = to;
    }
  }

  /** Leaves bytes to the client's parser; false where nothing can follow them. */
  #parse(bytes: Uint8Array): boolean {
    const parser = this.#parser;
    try {
      parser.parse(bytes);
    } catch {
      return false;
    }
    // A message that no server of good will sends: gathering it would take all memory.
    return parser.state !== State.MSG_PAYLOAD || parser.ma.size <= limits.nats_message_bytes_max;
  }

  /** Gives away messages from `at` on; returns where the first thing begins that is not taken. */
  #takeAll(text: Buffer, at: number): number {
    const protocol = this.#protocol;
    const frame = this.#frame;
    let sid = 0;
    let taker: FrameTaker | undefined;
    while (this.#find(text, at)) {
      if (this.#sid !== sid) {
        taker?.settle?.();
        sid = this.#sid;
        taker = this.#takers.get(sid);
      }
      if (taker === undefined || !taker.take(frame)) break;
      protocol.inMsgs++;
      protocol.inBytes += frame.end - frame.start;
      at = this.#behind;
    }
    taker?.settle?.();
    return at;
  }

  /** True when a whole message begins at `at`: `MSG subject sid [reply] size`, or `HMSG` with the size of headers before it. */
  #find(text: Buffer, at: number): boolean {
    this.#behind = 0;
    const hasHeaders = text[at] === letterH;
    const verb = hasHeaders ? at + 1 : at;
    if (text[verb] !== letterM || text[verb + 1] !== letterS || text[verb + 2] !== letterG) return false;
    const line = text.indexOf(lineFeed, verb);
    if (line < 0) return false;
    let place = line - 1;
    place = this.#number(text, place);
    const size = this.#value;
    let headers = 0;
    if (hasHeaders) {
      place = this.#number(text, place);
      headers = this.#value;
    }
    return (
      place >= 0 &&
      this.#address(text, verb + 4, place) &&
      this.#payload(line + 1, headers, size, text.length)
    );
  }

  #value = 0;

  /** Reads the digits that end before `end` and follow a space; returns where that space is, or -1 when they do not. */
  #number(text: Buffer, end: number): number {
    let value = 0;
    let unit = 1;
    let place = end - 1;
    for (; place >= 0; place--, unit *= 10) {
      const digit = text[place]! - zero;
      if (digit < 0 || digit > 9) break;
      value += digit * unit;
    }
    this.#value = value;
    return place >= 0 && place < end - 1 && text[place] === space ? place : -1;
  }

  /** `subject sid` or `subject sid reply` between `start` and `end`. */
  #address(text: Buffer, start: number, end: number): boolean {
    const frame = this.#frame;
    let place = start;
    while (place < end && text[place] !== space) place++;
    frame.subjectStart = start;
    frame.subjectEnd = place;
    let sid = 0;
    for (place++; place < end && text[place] !== space; place++) sid = sid * 10 + text[place]! - zero;
    this.#sid = sid;
    frame.replyStart = Math.min(place + 1, end);
    frame.replyEnd = end;
    return sid > 0;
  }

  #payload(start: number, headers: number, size: number, length: number): boolean {
    this.#frame.start = start + headers;
    this.#frame.end = start + size;
    this.#behind = start + size + 2;
    return this.#behind <= length;
  }

  /** Where the client's parser has done with what begins at `at`, or with what it is in the middle of. */
  #leave(text: Buffer, at: number): number {
    const { state, ma, msgBuf } = this.#parser;
    if (state === State.OP_START && this.#behind > 0) return this.#behind;
    if (state === State.MSG_PAYLOAD) return at + ma.size - (msgBuf?.length ?? 0) + 2;
    const line = text.indexOf(lineFeed, at);
    return line < 0 ? text.length : line + 1;
  }
}
