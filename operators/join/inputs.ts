// The inputs of a step that takes several: which of them a record is of, told by conditions, and the
// columns of theirs that are selected. Holds nothing.

import {
  type Batch,
  type Collector,
  ConfigurationError,
  type Expression,
  field,
  type MemberReference,
  z,
} from "weir/sdk";
import { inputsMax } from "./bounds.ts";

export type Inputs = Readonly<Record<string, Expression>>;
export type Members = Readonly<Record<string, MemberReference>>;

const condition = field.expression(["bool"], "True for the records of this input.", ['source == "temp"']);

const inputName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "expected a name of letters, digits, _ and -, such as temp");

/** The setting that tells inputs apart. A list of names stands for sources of those names. */
export const inputsSetting: z.ZodType<Inputs> = z
  .union([
    z.record(inputName, condition),
    z
      .array(inputName)
      .transform((names) =>
        Object.fromEntries(names.map((name) => [name, condition.parse(`source == ${JSON.stringify(name)}`)])),
      ),
  ])
  .refine(
    (inputs) => Object.keys(inputs).length >= 2,
    "expected two inputs at least: name those that are put together, as in [a, b]",
  )
  .refine((inputs) => Object.keys(inputs).length <= inputsMax, `expected at most ${inputsMax} inputs`)
  .meta({
    description:
      "The inputs by name, each with the condition that its records meet; the first that is true counts. A list of names stands for the sources of those names.",
  });

/** The setting that selects columns. */
export const membersSetting: z.ZodType<Members> = z
  .record(z.string().min(1), field.member([], "A column of an input, such as `temp.value`."))
  .refine((select) => Object.keys(select).length > 0, "expected at least one column")
  .meta({ description: "The row's columns by name, each a column of an input: `temp.value`." });

/** Selected columns, each with the number of its input. Refuses those of an input that is not there. */
export function selectedOf(
  select: Members,
  names: readonly string[],
): readonly { readonly name: string; readonly input: number; readonly column: MemberReference["column"] }[] {
  return Object.entries(select).map(([name, { input, column }]) => {
    const place = names.indexOf(input);
    if (place < 0) {
      const message = `there is no input ${input}: the inputs are ${names.join(" and ")}`;
      throw new ConfigurationError(["select", name], message);
    }
    return { name, input: place, column };
  });
}

/** Tells by row which input a record is of. */
export class InputRows {
  readonly #conditions: readonly Expression[];
  /** By row of the present batch, the number of its input; -1 for none. */
  #inputs = new Int8Array(0);
  #taken = new Uint32Array(0);
  #others = new Uint32Array(0);

  constructor(conditions: readonly Expression[]) {
    this.#conditions = conditions;
  }

  of(row: number): number {
    return this.#inputs[row]!;
  }

  /** The batch with the rows that are of an input; the others are counted as filtered. */
  sort(batch: Batch, out: Collector): Batch {
    const { selection, count, rows } = batch;
    if (this.#inputs.length < rows) this.#inputs = new Int8Array(rows);
    if (this.#taken.length < count) {
      this.#taken = new Uint32Array(count);
      this.#others = new Uint32Array(count);
    }
    const [inputs, taken, others] = [this.#inputs, this.#taken, this.#others];
    inputs.fill(-1, 0, rows);
    // From the last to the first, so that the first that is true is written last.
    for (let input = this.#conditions.length - 1; input >= 0; input--) {
      const met = this.#conditions[input]!.select(batch, taken);
      for (let i = 0; i < met; i++) inputs[taken[i]!] = input;
    }
    let [takenCount, othersCount] = [0, 0];
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      if (inputs[row]! < 0) others[othersCount++] = row;
      else taken[takenCount++] = row;
    }
    if (othersCount === 0) return batch;
    out.select({ ...batch, selection: others, count: othersCount }, others, 0);
    return { ...batch, selection: taken, count: takenCount };
  }
}
