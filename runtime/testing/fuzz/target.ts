// What a fuzz run tries: something that reads bytes of strangers, inputs that it reads well, and words of its language. Types only.

export interface FuzzTarget {
  /** As `--only` names it. */
  readonly name: string;
  /** Inputs that are well formed; what is tried is made of them. */
  readonly begins: readonly Uint8Array[];
  /** Pieces that mean something to it, which chance alone would not write. */
  readonly words: readonly Uint8Array[];
  /**
   * Reads the input, and throws where something is wrong with how it was taken: an error that is no refusal, two readers that
   * differ, a record that is counted nowhere. An input that is refused as it should be is well taken.
   */
  take(input: Uint8Array): void | Promise<void>;
}

const encoder = new TextEncoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Words of a text language, with white space between them. */
export function wordsOf(text: string): readonly Uint8Array[] {
  return text.trim().split(/\s+/).map(bytesOf);
}
