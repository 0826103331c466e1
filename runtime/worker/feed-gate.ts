// Keeps a commit and what is fed apart: a commit sees what is between two batches, never the middle of one. Knows neither.

export class FeedGate {
  /** How many feed at the moment; several sources do so at the same time. */
  #inside = 0;
  #closed: Promise<void> | null = null;
  #open: () => void = () => undefined;
  #emptied: (() => void) | null = null;

  /** Runs `task` while the gate is open, waiting for that if need be. */
  async pass<T>(task: () => Promise<T>): Promise<T> {
    while (this.#closed !== null) await this.#closed;
    this.#inside++;
    try {
      return await task();
    } finally {
      this.#inside--;
      if (this.#inside === 0) this.#emptied?.();
    }
  }

  /** Runs `task` while nobody is inside; whoever comes waits until it has ended. One at a time. */
  async shut<T>(task: () => Promise<T>): Promise<T> {
    this.#closed = new Promise((resolve) => (this.#open = resolve));
    try {
      if (this.#inside > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
      this.#emptied = null;
      return await task();
    } finally {
      this.#closed = null;
      this.#open();
    }
  }
}
