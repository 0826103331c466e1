// A record as a number, as operators keep it in a cell: the slot of a kept one, a row of the present batch, or none.

/** No record. */
export const nothing = -1;

/** A reference to a row of the present batch. Zero and above are slots of kept records. */
export function rowReference(row: number): number {
  return -2 - row;
}

export function isRow(reference: number): boolean {
  return reference <= -2;
}

/** The row that a reference to one is of. */
export function rowOf(reference: number): number {
  return -2 - reference;
}
