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

  fork(): Random {
    return new Random((this.next() * 4_294_967_296) | 0);
  }
}

/** Spreads 32 bits so that neighbours have nothing in common. */
function mix(value: number): number {
  let bits = Math.imul(value ^ (value >>> 15), value | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return (bits ^ (bits >>> 14)) >>> 0;
}
