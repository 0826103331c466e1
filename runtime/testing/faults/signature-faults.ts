// Faults of what is to run: somebody who may write the bucket of what is wanted, and the disk of the supervisor, puts there what
// nobody signed, between revisions that somebody did. The supervisor runs as a process, and its worker as one that outlives it.

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wallClock } from "../../clock.ts";
import { silentLog } from "../../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../../connect/nats-connection.ts";
import { eventSubject, statusSubject } from "../../supervisor/control-subjects.ts";
import { DesiredBucket, desiredBucket, replaceable } from "../../supervisor/desired-bucket.ts";
import { digestOf, sign, type Signature, type Statement } from "../../supervisor/signature.ts";
import type { SupervisorStatus } from "../../supervisor/status.ts";
import { type WantedPipeline, wantedPipeline } from "../../supervisor/wanted.ts";
import { insisting } from "./cloud.ts";
import { pipelineText } from "./pipeline.ts";
import { insist, type Scenario } from "./scenario.ts";
import { until } from "./waiting.ts";
import type { World } from "./world.ts";

const host = "gateway";
const name = "faults";

/** Of every row that a pipeline sends which nobody signed. */
const mark = "forged";
const rawSink = '        - sink: { nats: { subject: "raw.rows"';

/** So that it would run in spite of what is kept of other steps. */
const anew = { forget: true } as const;

/** The revision of that number; one that is forged marks its rows. */
function textOf(number: number, isForged = false): string {
  const forged = pipelineText.replace(rawSink, `        - set: { ${mark}: "1" }\n${rawSink}`);
  return `# revision ${number}\n${isForged ? forged : pipelineText}`;
}

const kinds = [
  "tampered",
  "unsigned",
  "expired",
  "a stranger's",
  "for others",
  "older",
  "no pipeline",
] as const;
type Kind = (typeof kinds)[number];

/** What a refusal says of each. */
const reasons: Readonly<Record<Kind, RegExp>> = {
  tampered: /^its text is not what was signed/,
  unsigned: /^it is not signed/,
  expired: /^its signature was good until/,
  "a stranger's": /^key [0-9a-f]+ is not trusted here/,
  "for others": /^it is signed for north/,
  older: /^it was signed at/,
  "no pipeline": /^its entry in the bucket .* cannot be read/,
};

interface Keys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Who signs, and who does not, and a bucket that both may write. */
class Writers {
  readonly #world: World;
  readonly #link: NatsLink;
  readonly #bucket: DesiredBucket;
  readonly #ours: Keys;
  readonly #others: Keys = generateKeyPairSync("ed25519");
  readonly #good: WantedPipeline[] = [];
  readonly told: string[] = [];

  private constructor(world: World, link: NatsLink, bucket: DesiredBucket, ours: Keys) {
    this.#world = world;
    this.#link = link;
    this.#bucket = bucket;
    this.#ours = ours;
    link.nats.subscribe(eventSubject(host), {
      callback: (_, message) => {
        const { what, reason } = message.json<{ readonly what: string; readonly reason: string }>();
        if (what === "refused") this.told.push(reason);
      },
    });
  }

  static async open(world: World, ours: Keys): Promise<Writers> {
    const link = await connectNats({ name: "faults-writers", servers: world.edge.url }, silentLog);
    world.later(() => link.close());
    const bucket = await DesiredBucket.open(link);
    await bucket.setState(host, { drain: false });
    return new Writers(world, link, bucket, ours);
  }

  /** Puts a revision that is signed, and waits until it runs. */
  async putGood(): Promise<void> {
    const good = this.#pipeline(textOf(this.#good.length), {});
    this.#good.push(good);
    await this.#put(good);
    await this.#world.alive(`revision ${good.revision}, which is signed`, async () => {
      const line = (await this.status())?.pipelines.find((each) => each.name === name);
      return line?.runs === good.revision && line.state === "running";
    });
  }

  /** Puts one of a kind that may not run. */
  async putBad(kind: Kind): Promise<void> {
    const forged = textOf(this.#good.length, true);
    const signature = this.#good.at(-1)?.signature;
    if (kind === "no pipeline")
      this.#link.nats.publish(`$KV.${desiredBucket}.${host}.pipeline.${name}`, '{"file":"');
    else if (kind === "older") await this.#put(this.#world.random.pick(this.#good.slice(0, -1)));
    else if (kind === "unsigned") await this.#put(wantedPipeline(this.#world.file, forged, anew));
    else if (kind === "tampered")
      await this.#put(wantedPipeline(this.#world.file, forged, { ...anew, signature }));
    else if (kind === "expired") {
      const expires = new Date(wallClock.now() - 1).toISOString();
      await this.#put(this.#pipeline(forged, { expires }));
    } else if (kind === "for others") await this.#put(this.#pipeline(forged, { hosts: ["north"] }));
    else await this.#put(this.#pipeline(forged, {}, this.#others));
  }

  async status(): Promise<SupervisorStatus | null> {
    try {
      return (await this.#link.nats.request(statusSubject(host), "", { timeout: 1_000 })).json();
    } catch {
      return null;
    }
  }

  #pipeline(text: string, more: Partial<Statement>, by: Keys = this.#ours): WantedPipeline {
    const signed = new Date(wallClock.now()).toISOString();
    const statement = { name, digest: digestOf(text), signed, expires: null, hosts: null, ...more };
    const signature: Signature = sign(statement, by.privateKey, by.publicKey);
    const begins = text.includes(mark) ? anew : {};
    return wantedPipeline(this.#world.file, text, { ...begins, signature });
  }

  async #put(pipeline: WantedPipeline): Promise<void> {
    await this.#bucket.put(host, pipeline, replaceable(await this.#bucket.read(host), name));
  }
}

export const signatureFaults: readonly Scenario[] = [
  {
    name: "F59",
    about: "somebody who may write what is wanted, and the supervisor's disk, puts there what nobody signed",
    world: { ahead: 2_000 },
    async run(world, isShort) {
      const ours = generateKeyPairSync("ed25519");
      const trusted = join(world.folder, "trusted.pem");
      writeFileSync(trusted, ours.publicKey.export({ type: "spki", format: "pem" }));
      const writers = await Writers.open(world, ours);
      const start = supervising(world, trusted);
      start();
      world.publisher.start();
      await writers.putGood();
      await writers.putGood();
      for (let round = 0; round < (isShort ? 2 : 8); round++) {
        for (const kind of shuffled(kinds, world)) {
          const before = writers.told.length;
          await writers.putBad(kind);
          const isTold = (): boolean => writers.told.slice(before).some((each) => reasons[kind].test(each));
          await world.alive(`a refusal of what is ${kind}`, isTold);
          if (world.random.chance(0.5)) await world.flows(world.random.between(200, 1_000));
          if (world.random.chance(0.5)) await writers.putGood();
        }
        await writers.putGood();
        await forgedDisk(world, start);
        await writers.putGood();
      }
      await world.flows();
      const { raw } = await insisting(() => world.cloud.content());
      const forged = raw.filter(({ payload }) => payload.includes(mark));
      insist(forged.length === 0, `${forged.length} messages are of a pipeline that nobody signed`);
    },
  },
];

/** Starts the supervisor; what it leaves behind is gone with the world. */
function supervising(world: World, trusted: string): () => void {
  const doors = join(world.folder, "doors");
  mkdirSync(doors, { mode: 0o700 });
  world.later(() => endAllIn(world.folder));
  return () =>
    void world.startWorker({
      supervises: ["--desired", "default", "--host", host, "--trust", trusted],
      environment: { WEIR_RUN_FOLDER: doors },
    });
}

/** Kills the supervisor, puts other texts and other signatures onto its disk, and starts it again. */
async function forgedDisk(world: World, start: () => void): Promise<void> {
  await world.killWorker();
  const text = JSON.stringify(textOf(0, true)).slice(1, -1);
  const files = globSync(join(world.state, "supervisor", "{wanted.json,revisions/*/*.json}"));
  insist(files.length > 1, "the supervisor has kept nothing");
  for (const file of files)
    writeFileSync(file, readFileSync(file, "utf8").replace(/"text":"(\\.|[^"\\])*"/, `"text":"${text}"`));
  start();
  // What is on its disk does not run; what is in the bucket does.
  await until("a supervisor that refuses what is on its disk", () =>
    world.worker.hasSaid("its text is not what was signed"),
  );
}

function shuffled<T>(all: readonly T[], { random }: World): readonly T[] {
  const order = new Map(all.map((each) => [each, random.next()]));
  return all.toSorted((a, b) => order.get(a)! - order.get(b)!);
}

/** Ends all processes that name a folder. */
function endAllIn(folder: string): void {
  for (const file of globSync("/proc/[0-9]*/cmdline")) {
    try {
      const pid = Number(file.split("/")[2]);
      if (pid !== process.pid && readFileSync(file, "latin1").includes(folder)) process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}
