// The few layouts that a decoder knows, and when it learns another. Decides only; the kernel runs them.
//
// The first layouts are learned at sight. When the set is full a layout must be met again and again, more often
// than the least used template still counts for, before it takes that one's place: one odd record in a thousand must
// not cost the template of the other nine hundred and ninety-nine.

import { limits } from "../../limits.ts";
import type { AnyLayout } from "./layout.ts";

export interface Template {
  /** Where it is written in the kernel's memory. */
  readonly address: number;
  layout: AnyLayout;
  /** Rows taken lately: halved with every `halfLife` rows that pass. */
  use: number;
}

const halfLife: number = limits.batch_rows_max;
const candidatesMax = 64;

/** A stencil that takes an eighth of the records is worth trying first: it costs little where it does not fit. */
const stencilWorth = 8;

function worthOf({ layout, use }: Template): number {
  return "pattern" in layout ? use * stencilWorth : use;
}

export class TemplateSet {
  /** Those that save most first. */
  readonly templates: Template[] = [];
  readonly #allocate: () => number;
  readonly #sightings = new Map<string, number>();

  constructor(allocate: () => number) {
    this.#allocate = allocate;
  }

  /** Counts the rows of a batch that passed, and puts first what saves most. */
  age(rows: number): void {
    const factor = 0.5 ** (rows / halfLife);
    const { templates } = this;
    for (let i = 0; i < templates.length; i++) {
      const template = templates[i]!;
      template.use *= factor;
      const before = templates[i - 1];
      if (before === undefined || worthOf(before) >= worthOf(template)) continue;
      templates[i - 1] = template;
      templates[i] = before;
    }
  }

  /** A template that now has this layout and is to be written, or undefined when the layout is not taken up. */
  learn(layout: AnyLayout): Template | undefined {
    const { templates } = this;
    const { signature } = layout;
    if (templates.some((template) => template.layout.signature === signature)) return undefined;
    if (templates.length < limits.templates_max) {
      const template: Template = { address: this.#allocate(), layout, use: 0 };
      templates.push(template);
      return template;
    }
    const sightings = (this.#sightings.get(signature) ?? 0) + 1;
    const least = templates.reduce((a, b) => (b.use < a.use ? b : a));
    if (sightings < 2 || sightings <= least.use) {
      if (this.#sightings.size >= candidatesMax) this.#sightings.clear();
      this.#sightings.set(signature, sightings);
      return undefined;
    }
    this.#sightings.delete(signature);
    least.layout = layout;
    least.use = sightings;
    return least;
  }
}
