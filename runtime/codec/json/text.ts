// Text out of bytes that the scanner has found well-formed. Never checks them again.

/** The bytes as text, as written. */
export function rawText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

/** What the string whose inside is `bytes[start … end)` says. */
export function decodeText(bytes: Uint8Array, start: number, end: number, escaped: boolean): string {
  // With its quotes, which stand around it, an escaped string is a JSON document of its own.
  return escaped ? (JSON.parse(rawText(bytes, start - 1, end + 1)) as string) : rawText(bytes, start, end);
}
