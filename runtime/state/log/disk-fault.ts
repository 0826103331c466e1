// What a disk's errors mean for those who keep state on it: lack of room passes, and nothing was harmed by it; after any other
// nobody knows what the disk holds. Never decides what to do about it.

import { messageOf, WeirError } from "../../errors.ts";

/** No bytes left, no bytes left of one's share, no file left to open. */
const noRoom = new Set(["ENOSPC", "EDQUOT", "EMFILE", "ENFILE"]);

export function isLackOfRoom(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && noRoom.has(String(thrown.code));
}

/** The disk may only be read, or this user may not. */
const refused = new Set(["EROFS", "EACCES", "EPERM"]);

/** Whether it says something of how the disk may be used, and nothing of what is on it. */
export function isRefusal(thrown: unknown): boolean {
  return (
    isLackOfRoom(thrown) || (thrown instanceof Error && "code" in thrown && refused.has(String(thrown.code)))
  );
}

/** What EMFILE and ENFILE are about is not the disk. */
const openMore = "let weir open more files (ulimit -n, LimitNOFILE= of its unit)";

function isLackOfFiles(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && ["EMFILE", "ENFILE"].includes(String(thrown.code));
}

/** For an error of the disk at `place` after which it cannot be trusted. `doing`: what was tried, as "write a commit". */
export function diskFault(place: string, doing: string, thrown: unknown): WeirError {
  const what = isLackOfFiles(thrown) ? openMore : "look at the disk and at the rights of the folder";
  return new WeirError("WEIR_STATE", `${place}: cannot ${doing}: ${messageOf(thrown)}`, {
    remedy: `${what}, then start again: what was committed is kept`,
    cause: thrown,
  });
}

/** The same for something that was not begun, or taken back: lack of room is a fault of its own, which passes. */
export function diskRefusal(place: string, doing: string, thrown: unknown): WeirError {
  if (thrown instanceof WeirError) return thrown;
  if (!isLackOfRoom(thrown)) return diskFault(place, doing, thrown);
  const what = isLackOfFiles(thrown) ? openMore : "free space for the state folder or give it a larger disk";
  return new WeirError("WEIR_DISK_FULL", `${place}: no room to ${doing}: ${messageOf(thrown)}`, {
    remedy: `${what}; a worker goes on by itself then, weir run is to be started again`,
    cause: thrown,
  });
}
