// How much the state of one slot may hold, by what is held. The same numbers stand in the runtime's
// table of limits; a test keeps the two alike, because an operator imports the SDK and nothing else.

/** Buckets of a quantile sketch, a sign; 2,048 span a factor of 10^17 between the smallest and the largest value. */
export const bucketsMax = 2_048;

/** Distinct values that are counted exactly; above, they are estimated. */
export const exactMax = 256;

/** Values that an exact quantile keeps; above, they become a sketch. */
export const valuesExactMax = 16_384;

/** Different values that are counted at a time to find the frequent ones. */
export const frequentMax = 256;

/** Characters of a frequent text that are kept to show it. */
export const frequentTextMax = 256;

/** The most frequent values that may be asked for. */
export const topMax = 100;

/** Values of a collected list. */
export const collectMax = 1_000;

/** Bytes of a text, as far as a worst case can be told: it may be much longer. */
export const textBytes = 64;

/** Bytes of a collected list of texts. */
export const collectBytesMax = 65_536;
