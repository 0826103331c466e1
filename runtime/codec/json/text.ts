// Text out of bytes that the scanner has found well-formed. Never checks them again.

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** The bytes as text, as written. */
export function rawText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

/** What the string whose inside is `bytes[start … end)` says. */
export function decodeText(bytes: Uint8Array, start: number, end: number, escaped: boolean): string {
  const raw = rawText(bytes, start, end);
  if (!escaped) return raw;
  return raw.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_whole, hex: string | undefined, letter: string) =>
    hex === undefined ? escapes[letter]! : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
