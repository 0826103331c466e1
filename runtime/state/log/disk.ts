// What the commit log and the outbox ask of a disk: one folder, flat names. The one seam to files, so that the same
// code runs on a real disk and on one that loses what was not synchronised. Decides nothing.
// Rejects with the system's errors, told apart by their `code`.

/** An open file. */
export interface DiskFile {
  /** Bytes that it holds. */
  size(): Promise<number>;
  /** Up to `length` bytes from `position`; fewer at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Writes all of `bytes`, or rejects and leaves any part of them. What is written is on the disk only after `sync`. */
  write(position: number, bytes: Uint8Array): Promise<void>;
  /** Resolves once what was written is durable. After a rejection nobody knows what is, and a repeat proves nothing. */
  sync(): Promise<void>;
  /** Cuts what is behind `length`. */
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** A folder and its files. Names hold no separator and do not begin with a dot. */
export interface Disk {
  /** Where it is, for messages. */
  readonly place: string;
  list(): Promise<readonly string[]>;
  /** `create` begins a file of length 0 and rejects where one of the name is there; `open` rejects where none is. */
  create(name: string): Promise<DiskFile>;
  open(name: string): Promise<DiskFile>;
  /** Replaces what is called `to`, all at once. Durable after `syncNames`. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that is not there is no fault. Durable after `syncNames`. */
  remove(name: string): Promise<void>;
  /** Resolves once files made, renamed and removed so far stay so. */
  syncNames(): Promise<void>;
  /** Bytes that are free; null where nobody can tell. */
  free(): Promise<number | null>;
  /** Takes the folder for this process until `release` or its end, however it ends; null where another has it. */
  lock(): Promise<DiskLock | null>;
}

export interface DiskLock {
  release(): Promise<void>;
}
