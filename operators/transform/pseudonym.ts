// pseudonym: replaces names by others that only the holder of a key can tell. Knows each text once, however
// often it comes, and keeps none beyond its dictionary.

import { createHmac } from "node:crypto";
import {
  type Column,
  type ColumnReference,
  type ColumnType,
  defineOperator,
  type Dictionary,
  field,
  type OperatorDefinition,
  withFields,
  z,
} from "weir/sdk";

/** A shorter key is found by trying. */
const keyLengthMin = 16;
/** Of the 64 hexadecimal digits of an HMAC-SHA-256: 128 bits, so that two texts never meet in one pseudonym. */
const digits = 32;

function pseudonymOf(key: string, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex").slice(0, digits);
}

/** The pseudonyms of a dictionary's texts, under the same codes: each is made when it is asked for first. */
class Pseudonyms implements Dictionary {
  readonly #texts: Dictionary;
  readonly #key: string;
  readonly #made: (string | undefined)[] = [];

  constructor(texts: Dictionary, key: string) {
    this.#texts = texts;
    this.#key = key;
  }

  get size(): number {
    return this.#texts.size;
  }

  text(code: number): string {
    return (this.#made[code] ??= pseudonymOf(this.#key, this.#texts.text(code)));
  }

  isOf(texts: Dictionary): boolean {
    return texts === this.#texts;
  }
}

/** One column; its dictionary changes now and then. */
class Renamed {
  readonly #key: string;
  #pseudonyms: Pseudonyms | null = null;

  constructor(key: string) {
    this.#key = key;
  }

  of(column: Column): Column {
    const { dictionary } = column as Extract<Column, { type: "string" }>;
    if (this.#pseudonyms?.isOf(dictionary) !== true) this.#pseudonyms = new Pseudonyms(dictionary, this.#key);
    return { ...column, dictionary: this.#pseudonyms } as Column;
  }
}

const column: z.ZodType<ColumnReference, string> = field.column(["string"], "Column to replace.");

export const pseudonym: OperatorDefinition = defineOperator({
  name: "pseudonym",
  summary: "Replaces names by others that only the holder of a key can tell.",
  rule: [
    `A text becomes the first ${digits} hexadecimal digits of its HMAC-SHA-256 (RFC 2104) under \`key\`, UTF-8 both: under one key the same text is always the same pseudonym, so that steps may group and join by it, on every device that has the key; under another key it is another. Null stays null.`,
    "Who has not the key cannot tell which text it was, nor try some. Who has it can, so keep it on the device: `key: ${file:pseudonym.key}` or `${WEIR_PSEUDONYM_KEY}` (of the environment, workers in containers get what begins with WEIR_), never in the pipeline itself. weir shows neither in its logs. A key that is replaced begins new pseudonyms.",
    "Only the named columns are replaced. Other fields of the record pass as they are (`select` keeps them in), as do subjects. A dead letter is the record as it came, wherever it was left out: let it stay on the device.",
  ].join(" "),
  kind: "stateless",
  conceals: true,
  config: z.strictObject({
    columns: z
      .union([column.transform((one) => [one]), z.array(column).min(1)])
      .meta({ description: "The columns, texts: one, or a list." }),
    key: z
      .string()
      .refine(
        ({ length }) => length >= keyLengthMin,
        `a key has at least ${keyLengthMin} characters: openssl rand -hex 32 > pseudonym.key makes one`,
      )
      .meta({ description: "The key, from a file or the environment: `${file:pseudonym.key}`." }),
  }),
  examples: [
    {
      title: "Badges",
      config: { columns: "badge", key: "0123456789abcdef" },
      schema: { badge: "string", room: "string" },
      input: [
        { badge: "ann", room: "lab" },
        { badge: null, room: "lab" },
        { badge: "ann", room: "hall" },
      ],
      output: [
        { badge: "fb385915a0623c0be3e7b0a7134dbb62", room: "lab" },
        { badge: null, room: "lab" },
        { badge: "fb385915a0623c0be3e7b0a7134dbb62", room: "hall" },
      ],
    },
  ],
  schema: (input, { columns }) => {
    const replaced: Record<string, ColumnType> = {};
    for (const { name } of columns) replaced[name] = "string";
    return withFields(input, replaced);
  },
  create: ({ columns, key }) => {
    const renamed = new Map(columns.map(({ index }) => [index, new Renamed(key)]));
    return {
      onBatch(batch, out) {
        out.project(
          batch,
          batch.columns.map((each, index) => renamed.get(index)?.of(each) ?? each),
        );
      },
    };
  },
});
