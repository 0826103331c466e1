// JSON and back with every digit of whole numbers beyond what a float64 holds: they are BigInts in between.

/** JSON.rawJSON, which the types of this TypeScript do not know yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** The value of a text; whole numbers that a float64 does not hold exactly are BigInts. */
export function exactlyParsed(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_name, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    const isLong = typeof value === "number" && !Number.isSafeInteger(value) && source !== undefined;
    return isLong && /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}

/** The text of a value, BigInts as numbers. */
export function exactText(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) =>
    typeof each === "bigint" ? rawJSON(String(each)) : each,
  );
}

/** A number where it is exact as one. */
export function fewestBits(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
