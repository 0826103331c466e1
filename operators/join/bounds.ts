// How much align and join may be asked for, and may keep. The same numbers stand in the runtime's table
// of limits; a test keeps the two alike, because an operator imports the SDK and nothing else.

/** Inputs of one step. */
export const inputsMax = 16;

/** Records of one key that one side of a join keeps where it does not say: each record that comes may make as many rows. */
export const keyRecordsDefault = 4_096;
/** The most that it may say. */
export const keyRecordsMax = 1_000_000;

/** Rows that are sent together. */
export const rowsMax = 1_024;
