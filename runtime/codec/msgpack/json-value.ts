// JSON text to values that msgpackr packs without loss and without surprise: objects become Maps, so
// that no name ("constructor", "toJSON", "__proto__") means anything but itself, and integers beyond
// 2^53 become BigInts. Knows no record.

/** What a reviver is told of a primitive: the text that it was read from. */
interface ReviverContext {
  readonly source?: string;
}

const integer = /^-?\d+$/;
const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;

/** The value of `text`; the text itself when it is not JSON. */
export function jsonValue(text: string): unknown {
  try {
    if (!text.startsWith("{") && !text.startsWith("[")) {
      const value: unknown = JSON.parse(text);
      return typeof value === "number" ? packableNumber(value, text) : value;
    }
    return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
  } catch {
    return text;
  }
}

function revive(_key: string, value: unknown, context: ReviverContext): unknown {
  if (typeof value === "number") return packableNumber(value, context.source);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return new Map(Object.entries(value));
}

function packableNumber(value: number, source: string | undefined): number | bigint {
  if (Number.isSafeInteger(value) || source === undefined || !integer.test(source)) return packable(value);
  const exact = BigInt(source);
  return exact >= int64Min && exact <= uint64Max ? exact : value;
}

/** Whole numbers beyond 32 bits as BigInt, because msgpackr writes them as floats otherwise. */
export function packable(value: number): number | bigint {
  return value >> 0 === value || value >>> 0 === value || !Number.isSafeInteger(value)
    ? value
    : BigInt(value);
}
