// Payloads to columns by the kernel: every row is tried against the templates, the most used first, and what fits
// none is read by the format's exact reader, whose layout may become a template. Same results as the reader alone.

import type { DecodeFault, Decoded, Decoder, FieldRead } from "../codec.ts";
import type { Payloads } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import { ReaderDecoder, type RecordReader } from "../reader-decoder.ts";
import { createKernel } from "./kernel.ts";
import { KernelLanding } from "./landing.ts";
import type { AnyLayout } from "./layout.ts";
import { KernelMemory } from "./memory.ts";
import { type Template, TemplateSet } from "./template-set.ts";
import { templateRoom, writeTemplate } from "./template.ts";

/** Of the rows that fit no template, the first few of a batch and then one in so many are asked for their layout. */
const layoutsAtOnce = 4;
const layoutsEvery = 64;
/** When more than this share of a batch fits no stencil, one more is tried. */
const stencilShareMin = 1 / 8;
/** Now and then a smaller share will do: a stencil behind others is tried on few rows, and gains on most of them. */
const stencilShareRare = 1 / 128;
const batchesApart = 16;
/** A prime, so that every place of a batch has its turn. */
const samplesApart = 7919;

/** An exact reader that tells how records are written. */
export interface TemplateReader extends RecordReader {
  /** How a record that was read without a fault may be taken, the quickest way first; none where it is nothing for a template. */
  layoutsOf(bytes: Uint8Array, start: number, end: number): readonly AnyLayout[];
}

/** A decoder with a kernel, or null where there can be none. `reader` is one of `fields`. */
export function createKernelDecoder(fields: readonly FieldRead[], reader: TemplateReader): Decoder | null {
  const kernel = createKernel();
  return kernel === null ? null : new KernelDecoder(fields, reader, new KernelMemory(kernel));
}

class KernelDecoder implements Decoder {
  readonly #fields: readonly FieldRead[];
  readonly #reader: TemplateReader;
  readonly #memory: KernelMemory;
  readonly #landing: KernelLanding;
  readonly #set: TemplateSet;
  #written = 0;
  #samples = 0;
  #batches = 0;
  #large: ReaderDecoder | null = null;

  constructor(fields: readonly FieldRead[], reader: TemplateReader, memory: KernelMemory) {
    this.#fields = fields;
    this.#memory = memory;
    this.#reader = reader;
    this.#landing = new KernelLanding(
      memory,
      fields.map((field) => field.type),
    );
    this.#set = new TemplateSet(() => memory.allocate(templateRoom(fields.length)));
  }

  decode(payloads: Payloads): Decoded {
    const { count, offsets } = payloads;
    if (count > limits.kernel_batch_rows_max || offsets[count]! - offsets[0]! > limits.kernel_batch_bytes_max)
      return (this.#large ??= new ReaderDecoder(this.#fields, this.#reader)).decode(payloads);
    const landing = this.#landing;
    landing.begin(count);
    landing.load(payloads);
    this.#relink();
    this.#set.age(count);
    const left = this.#tryTemplates(payloads);
    const faults: DecodeFault[] = [];
    if (left > 0) this.#readLeft(payloads, left, faults);
    landing.settle(payloads.bytes);
    return { rows: count, columns: landing.finish(left > 0), faults };
  }

  /** Lists the rows that fit no template in `landing.left`; how many they are. */
  #tryTemplates(payloads: Payloads): number {
    const { count } = payloads;
    const { everyRow, left } = this.#landing;
    // Those that a sample teaches meanwhile are for the next batch.
    const templates = this.#set.templates.slice();
    if (templates.length === 0) {
      this.#memory.words.copyWithin(left / 4, everyRow / 4, everyRow / 4 + count);
      return count;
    }
    const now = this.#batches++ % batchesApart === 0;
    let leftCount = count;
    for (const [place, template] of templates.entries()) {
      if (leftCount === 0) break;
      const rows = place === 0 ? everyRow : left;
      const share = now ? stencilShareRare : stencilShareMin;
      if (!("pattern" in template.layout) && leftCount > count * share)
        this.#sample(payloads, rows, leftCount);
      leftCount = this.#run(template, rows, leftCount, left);
    }
    return leftCount;
  }

  /** Takes up the stencil of one of `count` rows that fit none which was tried; it is first for the next few batches. */
  #sample({ bytes, offsets }: Payloads, rows: number, count: number): void {
    const { templates } = this.#set;
    if (!templates.some(({ layout }) => "pattern" in layout)) return;
    const place = (this.#samples++ * samplesApart) % count;
    const row = this.#memory.words[rows / 4 + place]!;
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    this.#landing.reserve(end - start);
    if (!this.#reader.read(bytes, start, end, row, this.#landing, [])) return;
    const [stencil] = this.#reader.layoutsOf(bytes, start, end);
    if (stencil === undefined) return;
    const known = templates.find(({ layout }) => layout.signature === stencil.signature);
    const template = known ?? this.#set.learn(stencil);
    if (template === undefined) return;
    template.use = count;
    if (known === undefined) this.#write(template);
  }

  /** Tries `count` rows listed at `rows`; lists those that do not fit at `left`, and returns how many they are. */
  #run(template: Template, rows: number, count: number, left: number): number {
    const { kernel } = this.#memory;
    const { payloads, offsets } = this.#landing;
    let done = 0;
    let leftCount = 0;
    for (;;) {
      leftCount += kernel.decode(
        template.address,
        rows + done * 4,
        count - done,
        left + leftCount * 4,
        payloads,
        offsets,
      );
      done += kernel.done();
      if (done === count) break;
      // A dictionary was full: the rows of that block are gone through again.
      this.#landing.reserve(kernel.needed());
    }
    template.use += count - leftCount;
    return leftCount;
  }

  /** Reads the first `count` rows of `landing.left` exactly, but for those that fit a layout learned on the way. */
  #readLeft(payloads: Payloads, count: number, faults: DecodeFault[]): void {
    const { bytes, offsets } = payloads;
    const landing = this.#landing;
    const rows = landing.left;
    let end = count;
    for (let i = 0; i < end; i++) {
      const row = this.#memory.words[rows / 4 + i]!;
      const start = offsets[row]!;
      const stop = offsets[row + 1]!;
      landing.reserve(stop - start);
      const clean = this.#reader.read(bytes, start, stop, row, landing, faults);
      if (!clean || (i >= layoutsAtOnce && i % layoutsEvery !== 0)) continue;
      const next = rows + (i + 1) * 4;
      for (const layout of this.#reader.layoutsOf(bytes, start, stop)) {
        const template = this.#set.learn(layout);
        if (template === undefined) continue;
        this.#write(template);
        end = i + 1 + this.#run(template, next, end - i - 1, next);
      }
    }
  }

  #write(template: Template): void {
    writeTemplate(this.#memory, template.address, template.layout, this.#landing.addresses);
  }

  /** Templates name the columns that they write to. */
  #relink(): void {
    if (this.#written === this.#landing.moved) return;
    this.#written = this.#landing.moved;
    for (const template of this.#set.templates) this.#write(template);
  }
}
