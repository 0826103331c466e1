// How much align and join may be asked for, and may keep. The same numbers stand in the runtime's table
// of limits; a test keeps the two alike, because an operator imports the SDK and nothing else.

/** Inputs of one step. */
export const inputsMax = 16;

/** Records of one key that one side of a join keeps: each record that comes may make as many rows. */
export const keyRecordsMax = 4_096;

/** Rows that are sent together. */
export const rowsMax = 1_024;
