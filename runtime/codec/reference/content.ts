// What a reference table is before it is decoded: bytes, and where they are from. Types only.

export const referenceFormats = ["csv", "json", "ndjson"] as const;
export type ReferenceFormat = (typeof referenceFormats)[number];

export type ReferenceContent =
  /** A file's bytes; `name` is what messages call it. */
  | {
      readonly kind: "file";
      readonly name: string;
      readonly format: ReferenceFormat;
      readonly bytes: Uint8Array;
    }
  /** JSON objects by key, each key once. */
  | {
      readonly kind: "entries";
      readonly name: string;
      readonly entries: readonly { readonly key: string; readonly value: Uint8Array }[];
    }
  /** It cannot be read now. */
  | { readonly kind: "unreadable"; readonly message: string; readonly remedy: string };
