// Which messages were handed out and not acknowledged yet, and what to answer when a position is
// committed. Positions only grow. Publishes nothing.

interface Entry {
  readonly position: number;
  readonly reply: string;
}

/** Replies in the order of their positions. */
export class Settlement {
  #entries: Entry[] = [];
  /** Entries in front of it are settled; they are cut off now and then. */
  #head = 0;
  #committed: number;

  constructor(committed: number) {
    this.#committed = committed;
  }

  /** The highest position that was committed. */
  get committed(): number {
    return this.#committed;
  }

  get size(): number {
    return this.#entries.length - this.#head;
  }

  /** Remembers the reply of a message; one that is not ahead of the last is covered by it. */
  handOut(position: number, reply: string): void {
    const last = this.#entries.at(-1);
    if (last === undefined || this.size === 0 || position > last.position)
      this.#entries.push({ position, reply });
  }

  /** Settles everything up to `position`: the replies to acknowledge, oldest first. */
  settle(position: number): readonly string[] {
    this.#committed = Math.max(this.#committed, position);
    const replies: string[] = [];
    while (this.#head < this.#entries.length && this.#entries[this.#head]!.position <= this.#committed) {
      replies.push(this.#entries[this.#head++]!.reply);
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return replies;
  }

  /** Forgets the replies, which mean nothing to another consumer; the committed position stays. */
  forgetReplies(): void {
    this.#entries = [];
    this.#head = 0;
  }
}
