// Callers that wait until something holds: room in a queue, everything confirmed. Whoever changes what
// the conditions look at calls `check`.

interface Waiting {
  readonly holds: () => boolean;
  readonly resolve: () => void;
}

export class Conditions {
  #waiting: Waiting[] = [];

  /** Resolves once `holds()` is true at a `check`, at once when it is true already. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ holds, resolve });
    return promise;
  }

  check(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => {
      if (!each.holds()) return true;
      each.resolve();
      return false;
    });
  }
}
