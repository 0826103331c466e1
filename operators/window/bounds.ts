// How much a window step may ask for. The same numbers stand in the runtime's table of limits; a test
// keeps the two alike, because an operator imports the SDK and nothing else.

/** ms that a window may be long: a hundred years, so that one can hold all that there is. What is longer is a slip of the pen. */
export const lengthMax = 3_153_600_000_000;

/** Hopping or counted windows that one record may belong to. */
export const overlapMax = 1_000;

/** Rows of a key that one cumulating window may grow through. */
export const stepsMax = 10_000;

/** Shifts of a day. */
export const shiftsMax = 24;

/** Windows without records in a row that a key has rows for. */
export const gapWindowsMax = 1_000;

/** Rows after which a step lets those before find room, where one moment makes many windows due. */
export const rowsAtOnceMax = 65_536;

/** Loops made for sets of aggregates, which steps alike share. */
export const programsMax = 256;
