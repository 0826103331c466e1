// Numbers that look random and are the same for the same seed: whatever a simulation decides by chance comes from here.

/** A stream of numbers; forks are independent of how much their parent is asked afterwards. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = mix(seed | 0);
  }

  /** In [0, 1). A field of its own, so that it can be handed on as a function. */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    return mix(this.#state) / 4_294_967_296;
  };

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.next() * choices.length)];
    if (choice === undefined) throw new RangeError("nothing to pick from");
    return choice;
  }

  /** So many bytes, each as `between` 0 and 255 would give it. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let place = 0; place < length; place++) {
      this.#state = (this.#state + 0x6d2b79f5) | 0;
      bytes[place] = mix(this.#state) >>> 24;
    }
    return bytes;
  }

  fork(): Random {
    return new Random((this.next() * 4_294_967_296) | 0);
  }
}

/** Spreads 32 bits so that neighbours have nothing in common, and no two become one: the last steps of MurmurHash3 (Appleby). */
function mix(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
