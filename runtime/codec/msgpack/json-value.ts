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

/** A text of JSON, and what stands behind it where it is a name. */
const texts = /("(?:[^"\\]|\\.)*")(\s*:)?/g;
/** From an escape in a name to the end of it. */
const escapeInName = /\\.(?:[^"\\]|\\.)*"\s*:/;

/** The value of `text`; the text itself when it is not JSON. */
export function jsonValue(text: string): unknown {
  try {
    if (!text.startsWith("{") && !text.startsWith("[")) {
      const value: unknown = JSON.parse(text);
      return typeof value === "number" ? packableNumber(value, text) : value;
    }
    return escapeInName.test(text) ? withPlainNames(text) : JSON.parse(text, revive as Reviver);
  } catch {
    return text;
  }
}

type Reviver = (key: string, value: unknown) => unknown;

function revive(_key: string, value: unknown, context: ReviverContext): unknown {
  if (typeof value === "number") return packableNumber(value, context.source);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return new Map(Object.entries(value));
}

/**
 * The value of a text with escapes in names. V8 (13.6) takes such a name for one that it expects, having met it in a like
 * object, when they begin alike as they are written: `"\n"` for `"\\"`. So names are numbers while it parses.
 */
function withPlainNames(text: string): unknown {
  const names: string[] = [];
  const numbered = text.replace(texts, (whole, name: string, colon?: string) =>
    colon === undefined ? whole : `"n${names.push(JSON.parse(name) as string) - 1}":`,
  );
  const named = (key: string, value: unknown, context: ReviverContext): unknown => {
    const revived = revive(key, value, context);
    if (!(revived instanceof Map)) return revived;
    const members = revived as ReadonlyMap<string, unknown>;
    return new Map([...members].map(([number, each]) => [names[Number(number.slice(1))]!, each]));
  };
  return JSON.parse(numbered, named as Reviver);
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
