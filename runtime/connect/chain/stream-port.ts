// What a chain asks of a JetStream stream: the seam behind which stands a server, or a model of one. Bytes and numbers only.

/** A message as it is published; headers are the chain's own. */
export interface Publication {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** How a publish ended: `stored` with its place in the stream, or why not; `lost` when no answer came. */
export type Answer =
  | { readonly kind: "stored"; readonly sequence: number; readonly duplicate: boolean }
  /** No stream listens to the subject. */
  | { readonly kind: "absent" }
  | { readonly kind: "lost" }
  /** The server's own code and words; 10071 is a wrong last sequence. */
  | { readonly kind: "refused"; readonly code: number; readonly reason: string };

export interface StreamFacts {
  /** Its incarnation: another one where it was deleted and made anew. */
  readonly created: string;
  readonly first: number;
  readonly last: number;
  readonly retention: "limits" | "interest" | "workqueue";
  /** How many servers keep a copy. */
  readonly replicas: number;
}

export interface StoredMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** One stream. Questions go to its leader, and wait for the connection as long as it takes. */
export interface StreamPort {
  readonly name: string;
  /** The most bytes of one message, headers included; absent where only an answer tells. */
  readonly messageBytesMax?: number;
  /** Publishes at once, in the order of calls; `answered` is called once for each, in any order. */
  publish(publication: Publication, answered: (answer: Answer) => void): void;
  /**
   * `cut` is called whenever the connection was lost, behind the answers of what was in flight: the server may have been
   * started anew, and may have forgotten what it had confirmed.
   */
  watch?(cut: () => void): void;
  /** Makes the stream where it does not exist and whoever opened the port knows how; never alters one. */
  prepare?(): Promise<void>;
  /** Null where the stream does not exist. */
  facts(): Promise<StreamFacts | null>;
  /** Null where it holds no message of this number. */
  read(sequence: number): Promise<StoredMessage | null>;
  /** The last message on a subject; null where there is none. */
  readLast(subject: string): Promise<StoredMessage | null>;
  /** The first message on a subject from a sequence on; null where there is none. */
  readNext?(subject: string, from: number): Promise<StoredMessage | null>;
  /** Whoever still waits for an answer to a question is refused. */
  close(): Promise<void>;
}
