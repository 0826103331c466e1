// Randomness from a seed, so that every run and every machine reads the same bytes.

/** Numbers in [0, 1): a linear congruential generator (constants of Knuth's MMIX, upper 32 bits). */
export function seeded(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    return Number(state >> 32n) / 2 ** 32;
  };
}
