// Errors of the disk, said as what they are: lack of room passes, and after any other nobody knows what the disk holds.

import type { Disk } from "../log/disk.ts";
import { diskRefusal } from "../log/disk-fault.ts";

/** What `task` gives. `doing`: what it is for, as "write rows that wait". */
export async function diskAsked<T>(disk: Disk, doing: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw diskRefusal(disk.place, doing, error);
  }
}
