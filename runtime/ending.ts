// An end that many wait for beside something else, one after the other and for as long as a worker lives. Not a promise in a race: that
// keeps all who ever waited, until it comes. Knows nothing of what ends.

export class Ending<End> {
  #end: (() => End) | null = null;
  readonly #waiting = new Set<(end: () => End) => void>();

  /** Those who wait for it now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** It is here: whoever waits, now or later, gets what `end` returns or throws. A second time it changes nothing. */
  come(end: () => End): void {
    if (this.#end !== null) return;
    this.#end = end;
    for (const ended of this.#waiting) ended(end);
    this.#waiting.clear();
  }

  /** What `task` comes to, or the end where that is here before. */
  before<T>(task: Promise<T>): Promise<T | End> {
    return new Promise((resolve, reject) => {
      const ended = (end: () => End): void => {
        try {
          resolve(end());
        } catch (error) {
          reject(error as Error);
        }
      };
      if (this.#end !== null) ended(this.#end);
      else this.#waiting.add(ended);
      void task.then(resolve, reject).then(() => this.#waiting.delete(ended));
    });
  }
}
