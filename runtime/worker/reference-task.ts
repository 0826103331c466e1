// The reference tables that the pipelines of one source read: loaded before the source opens, watched while
// it runs. Hands contents over and says what became of them; decides nothing about them.

import { join } from "node:path";
import type { ReferenceSource } from "../../operators/sdk/index.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import type { ReferenceWatch } from "../connect/reference.ts";
import { bucketReference } from "../connect/reference-bucket.ts";
import { fileReference } from "../connect/reference-file.ts";
import type { Runner } from "../engine/runner.ts";
import { messageOf, WeirError } from "../errors.ts";
import type { Log } from "../log.ts";
import { referenceSources } from "../pipeline/lookups.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { keptReference } from "./kept-reference.ts";
import { pathOf, type Surroundings } from "./open.ts";

/** A pipeline that reads a table, and what it calls it. */
interface Reader {
  readonly pipeline: string;
  readonly table: string;
}

interface Table {
  readonly watch: ReferenceWatch;
  /** What was read at first; null until then, and once it was handed over. */
  content: ReferenceContent | null;
  readonly readers: Reader[];
}

export class ReferenceTask {
  /** By where they are. */
  readonly #tables = new Map<string, Table>();
  readonly #log: Log;
  readonly #folder: string | null;

  /** `folder`: of the state, where what buckets held is kept for a start without their server; null for nowhere. */
  constructor(log: Log, folder: string | null = null) {
    this.#log = log;
    this.#folder = folder;
  }

  /** Reads every table of the plans, each once. */
  async load(plans: readonly PipelinePlan[], surroundings: Surroundings): Promise<void> {
    for (const plan of plans) {
      for (const [name, source] of referenceSources([plan]))
        await this.#load(plan, name, source, surroundings);
    }
  }

  /** Gives the runner what was loaded, and from then on each change. Rejects where a pipeline cannot use a table. */
  async start(runner: Runner): Promise<void> {
    for (const loaded of this.#tables.values()) {
      const { content, readers, watch } = loaded;
      for (const reader of readers) {
        await runner.refer(reader.pipeline, reader.table, content!);
        this.#tell(runner, reader, true);
      }
      loaded.content = null;
      watch.watch((newer) => void this.#replace(runner, readers, newer));
    }
  }

  async close(): Promise<void> {
    for (const { watch } of this.#tables.values()) await watch.close();
  }

  async #load(
    plan: PipelinePlan,
    table: string,
    source: ReferenceSource,
    surroundings: Surroundings,
  ): Promise<void> {
    const place = source.kind === "file" ? pathOf(plan, source.path) : JSON.stringify(source);
    const reader = { pipeline: plan.name, table };
    const known = this.#tables.get(place);
    if (known !== undefined) {
      known.readers.push(reader);
      return;
    }
    const watch = await this.#open(source, place, table, surroundings);
    const added: Table = { watch, content: null, readers: [reader] };
    this.#tables.set(place, added);
    added.content = await watch.load();
  }

  async #replace(runner: Runner, readers: readonly Reader[], content: ReferenceContent): Promise<void> {
    for (const reader of readers) {
      try {
        await runner.refer(reader.pipeline, reader.table, content);
        this.#tell(runner, reader, false);
      } catch (error) {
        // The pipeline has failed, and whoever runs it is told the same.
        this.#log.warn(`${reader.pipeline}: table ${reader.table}: ${messageOf(error)}`);
      }
    }
  }

  #tell(runner: Runner, { pipeline, table }: Reader, first: boolean): void {
    const status = runner.status().find(({ name }) => name === pipeline);
    const { fault, rows } = status!.references.find((each) => each.table === table)!;
    if (fault === null) {
      this.#log.info(`${pipeline}: table ${table} ${first ? "loaded" : "loaded anew"}: ${rows} rows`);
      return;
    }
    if (first) throw new WeirError("WEIR_REFERENCE", fault.message, { remedy: fault.remedy });
    this.#log.warn(`${pipeline}: the new table ${table} is not used, the old one stays: ${fault.message}`);
  }

  async #open(
    source: ReferenceSource,
    path: string,
    name: string,
    { connections, clock, log }: Surroundings,
  ): Promise<ReferenceWatch> {
    if (source.kind === "file") return fileReference(path, name, clock);
    const { to, bucket } = source;
    const follow = async (): Promise<ReferenceWatch> =>
      bucketReference({ link: await connections.link(to), bucket, name, clock, log });
    if (this.#folder === null) return follow();
    const file = join(this.#folder, `table-${encodeURIComponent(to)}.${bucket}`);
    return keptReference({ open: follow, file, name, clock, log });
  }
}
