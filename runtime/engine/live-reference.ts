// One reference table of one step, whose content may be replaced between batches. Knows no file and no
// bucket.

import type { Batch, Column, ReferenceDeclaration, ReferenceTable } from "../../operators/sdk/index.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import { type DecodedReference, decodeReference, keyAt } from "../codec/reference/decode.ts";
import { WeirError } from "../errors.ts";
import { referenceName } from "../pipeline/lookups.ts";

/** Of a text's code: nobody has looked for it yet. */
const unknown = -2;

export class LiveReference implements ReferenceTable {
  readonly name: string;
  readonly #declaration: ReferenceDeclaration;
  #content: DecodedReference | null = null;
  /** By code of the dictionary that was seen last, its row. */
  #byCode = new Int32Array(0);
  #dictionary: Column["dictionary"] = null;

  constructor(declaration: ReferenceDeclaration) {
    this.name = referenceName(declaration.source);
    this.#declaration = declaration;
  }

  get rows(): number {
    return this.#loaded().rows;
  }

  get columns(): readonly Column[] {
    return this.#loaded().columns;
  }

  /** The content as this step reads it; throws a `WeirError` where it cannot be used. */
  decode(content: ReferenceContent): DecodedReference {
    return decodeAs(this.#declaration, content);
  }

  replace(content: DecodedReference): void {
    this.#content = content;
    this.#dictionary = null;
  }

  locate(batch: Batch, places: Int32Array): void {
    const found = this.#loaded().places;
    const column = batch.columns[this.#declaration.on.index]!;
    const { selection, count } = batch;
    const { valid } = column;
    if (column.type === "string") {
      this.#locateTexts(column, batch, places);
      return;
    }
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      places[i] = valid !== null && valid[row] === 0 ? -1 : (found.get(keyAt(column, row)) ?? -1);
    }
  }

  /** Each distinct text is looked for once for each content. */
  #locateTexts(column: Extract<Column, { type: "string" }>, batch: Batch, places: Int32Array): void {
    const found = this.#loaded().places;
    const { values, valid, dictionary } = column;
    const { selection, count } = batch;
    const byCode = this.#codes(dictionary);
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      if (valid !== null && valid[row] === 0) {
        places[i] = -1;
        continue;
      }
      const code = values[row]!;
      let place = byCode[code]!;
      if (place === unknown) {
        place = found.get(dictionary.text(code)) ?? -1;
        byCode[code] = place;
      }
      places[i] = place;
    }
  }

  #codes(dictionary: NonNullable<Column["dictionary"]>): Int32Array {
    if (this.#dictionary !== dictionary) {
      this.#dictionary = dictionary;
      this.#byCode.fill(unknown);
    }
    if (this.#byCode.length < dictionary.size) {
      const grown = new Int32Array(dictionary.size * 2).fill(unknown);
      grown.set(this.#byCode);
      this.#byCode = grown;
    }
    return this.#byCode;
  }

  #loaded(): DecodedReference {
    if (this.#content !== null) return this.#content;
    throw new WeirError("WEIR_REFERENCE", `the table ${this.name} has no content`, {
      remedy: `give it some before the first record: in a test, under lookups: { ${this.name}: … }`,
    });
  }
}

/** Content as a declaration reads it; throws a `WeirError` where it cannot be used. */
export function decodeAs(
  { key, on, columns }: ReferenceDeclaration,
  content: ReferenceContent,
): DecodedReference {
  const fields = Object.entries(columns).map(([name, type]) => ({ name, type }));
  return decodeReference(content, { key: { name: key, type: on.type }, columns: fields });
}
