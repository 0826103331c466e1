// The devices of the demonstration: `weir feed` in processes of their own, so that playing them takes
// nothing from the worker that is shown. They never outlive whoever started them.

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { sleep, wallClock } from "../clock.ts";
import type { FeedProgress } from "../connect/feed.ts";
import { partUrl } from "../layout.ts";
import { limits } from "../limits.ts";
import { sensorStream } from "./demo-servers.ts";

const main: string = fileURLToPath(partUrl("weir.js"));
const leash: string = partUrl("demo-leash.js").href;
const recording: string = fileURLToPath(new URL("data/wireless-sensors.csv", partUrl("pipelines/")));

/** The recording, from where its provoked events are 9 s ahead at this speed. */
const speed = 200;
const from = "2h45m";
/** Its end is 77 s behind `from`; then it is played again, in event time as if it had gone on. */
const round_ms = 80_000;
const recordedAt = Date.UTC(2010, 4, 10);
const motes = [1, 2, 3, 4] as const;
/** What `weir feed` ends with when records were lost. */
const exitOfLoss = 74;
/** The one that speaks MQTT. */
const moteOverMqtt = 3;

export interface FeedServers {
  readonly edge: { readonly url: string; readonly mqttUrl: string | null };
}

/** What a feed is and what it did. */
export interface FeedFigures {
  readonly name: string;
  readonly sent: number;
  readonly confirmed: number;
  readonly lost: number;
}

interface Feed {
  readonly name: string;
  /** True when the edge keeps its records in the stream. */
  readonly stored: boolean;
  /** The command line of `weir feed`; `begin` is when the first record is due. */
  arguments(begin: number, round: number): readonly string[];
}

/** This machine's sensors, to core NATS. */
function hostFeed({ edge }: FeedServers): Feed {
  return {
    name: "host",
    stored: false,
    arguments: () => ["host", "--to", "host.{sensor}.{name}", "--url", edge.url, "--every", "100ms"],
  };
}

/** One mote of the recording, to the stream or over MQTT. */
function moteFeed(mote: number, { edge }: FeedServers): Feed {
  const to =
    mote === moteOverMqtt && edge.mqttUrl !== null
      ? ["--to", "sensors/mote/{mote_id}/climate", "--url", edge.mqttUrl]
      : ["--to", "sensors.mote.{mote_id}.climate", "--url", edge.url, "--stream", sensorStream];
  const which = ["--where", `mote_id=${mote}`, "--from", from];
  const time = ["--time-field", "ts", "--step", "5s", "--index", "reading", "--speed", String(speed)];
  return {
    name: `mote ${mote}`,
    stored: true,
    arguments: (begin, round) => [
      recording,
      ...to,
      ...which,
      ...time,
      "--start",
      String(recordedAt + round * round_ms * speed),
      "--begin",
      String(begin + round * round_ms),
    ],
  };
}

/** A feed as a process that is started again when its recording has ended. */
class RunningFeed {
  readonly #feed: Feed;
  readonly #begin: number;
  readonly #mayLose: boolean;
  #child: ChildProcess;
  #round = 0;
  #sent = 0;
  #confirmed = 0;
  #lost = 0;
  #stopping = false;
  /** Why it ended, when it should not have. */
  fault: string | null = null;
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(feed: Feed, begin: number, mayLose: boolean) {
    this.#feed = feed;
    this.#begin = begin;
    this.#mayLose = mayLose;
    this.#child = this.#start();
  }

  /** Records that the edge's stream holds of it. */
  get stored(): number {
    return this.#feed.stored ? this.#confirmed : 0;
  }

  figures(): FeedFigures {
    return { name: this.#feed.name, sent: this.#sent, confirmed: this.#confirmed, lost: this.#lost };
  }

  async stop(ms: number): Promise<void> {
    this.#stopping = true;
    this.#child.kill("SIGTERM");
    const inTime = await Promise.race([
      this.#ended.promise.then(() => true),
      sleep(wallClock, ms).then(() => false),
    ]);
    if (inTime) return;
    this.fault = `did not stop within ${ms} ms`;
    this.#child.kill("SIGKILL");
    await this.#ended.promise;
  }

  #start(): ChildProcess {
    const child = spawn(
      process.execPath,
      ["--import", leash, main, "feed", ...this.#feed.arguments(this.#begin, this.#round), "--json"],
      // In a session of its own, so that Ctrl-C reaches the demonstration alone, which then ends it in order.
      { stdio: ["pipe", "pipe", "pipe"], detached: true },
    );
    // A child that is gone already reads nothing.
    child.stdin.on("error", () => {});
    let said = "";
    let complaint = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (complaint = chunk.toString()));
    child.once("error", (error) => this.#onEnd("", error.message));
    child.once("close", (code, signal) => {
      // Asked to end before it could listen.
      const isEarly = this.#stopping && signal === "SIGTERM";
      const isLoss = this.#mayLose && !this.#feed.stored && code === exitOfLoss;
      const isFine = code === 0 || isEarly || isLoss;
      this.#onEnd(said, isFine ? null : `ended with ${code ?? signal}: ${complaint.trim()}`);
    });
    return child;
  }

  #onEnd(said: string, fault: string | null): void {
    this.#count(said);
    if (fault === null && !this.#stopping) {
      this.#round++;
      this.#child = this.#start();
      return;
    }
    this.fault ??= fault;
    this.#ended.resolve();
  }

  #count(said: string): void {
    if (said === "") return;
    // What went wrong is an object without counts.
    const { sent = 0, confirmed = 0, lost = 0 } = JSON.parse(said) as Partial<FeedProgress>;
    this.#sent += sent;
    this.#confirmed += confirmed;
    this.#lost += lost;
  }
}

export class DemoFeeds {
  readonly #feeds: readonly RunningFeed[];

  /**
   * Starts them all; the recording's records are due from `begin`, wall clock ms. With `mayLose` the edge is killed now and
   * then, and what core NATS had on its way is gone.
   */
  constructor(servers: FeedServers, begin: number, mayLose: boolean = false) {
    const feeds = [hostFeed(servers), ...motes.map((mote) => moteFeed(mote, servers))];
    this.#feeds = feeds.map((feed) => new RunningFeed(feed, begin, mayLose));
  }

  /** What each did; complete once they are stopped. */
  figures(): readonly FeedFigures[] {
    return this.#feeds.map((feed) => feed.figures());
  }

  /** Records that the edge's stream holds; complete once they are stopped. */
  get stored(): number {
    return this.#feeds.reduce((total, feed) => total + feed.stored, 0);
  }

  faults(): string[] {
    return this.#feeds.flatMap((feed) =>
      feed.fault === null ? [] : [`feed ${feed.figures().name} ${feed.fault}`],
    );
  }

  /** Resolves once every record that was sent is confirmed and the processes are gone, each within `ms`. */
  async stop(ms: number = limits.demo_catch_up_ms_max): Promise<void> {
    await Promise.all(this.#feeds.map((feed) => feed.stop(ms)));
  }
}
