// Rows with an id by which the stream drops repeats, and nothing else to tell by: the weaker mode, for streams that others
// write on the same subjects. Exactly once within the stream's duplicate window; behind an outage longer than that, at least once.

import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import type { Place, Tail, Target } from "./chain.ts";
import { failureOf, Flight, type Sent } from "./flight.ts";
import { publicationOf, unfitReason } from "./publication.ts";
import { StoredPlace } from "./stored-place.ts";
import { checkStream, factsOf, isShorter, type StreamTargetOptions, wasCut } from "./stream-target.ts";
import type { Answer } from "./stream-port.ts";

export function identifiedTarget(options: StreamTargetOptions): Target {
  return new IdentifiedTarget(options);
}

class IdentifiedTarget implements Target {
  readonly #options: StreamTargetOptions;
  readonly #flight: Flight;
  readonly #place: StoredPlace;
  /** Numbers that are stored behind one that is not confirmed; while a loss is healed, all that are stored again. */
  readonly #ahead = new Set<number>();
  #isHealing = false;
  #attached = false;

  constructor(options: StreamTargetOptions) {
    this.#options = options;
    this.#flight = new Flight(options.events);
    options.port.watch?.(() => this.#flight.doubt(wasCut));
    this.#place = new StoredPlace(options.place ?? null);
  }

  get room(): number {
    return this.#attached ? this.#flight.room(limits.sink_in_flight_max) : 0;
  }

  get place(): Place | null {
    return this.#place.place;
  }

  async attach(_: readonly Entry[], confirmed: number): Promise<Tail> {
    const { port, clock, identity } = this.#options;
    this.#attached = false;
    for (;;) {
      this.#flight.clear();
      const facts = await factsOf(port, clock);
      const isReplaced = await this.#place.isReplaced(port, identity);
      const standing = this.#place.begin(facts, confirmed, isReplaced);
      if (standing === "lost") this.#ahead.clear();
      this.#isHealing = standing !== "whole";
      if (!this.#flight.begin(this.#isHealing ? 0 : confirmed)) continue;
      this.#attached = true;
      return { number: confirmed, epoch: 0, ...(this.#isHealing ? { regressed: true } : {}) };
    }
  }

  unfit(entry: Entry): string | null {
    const { port, identity } = this.#options;
    return unfitReason(identity, entry, port.messageBytesMax);
  }

  send(entries: readonly Entry[]): void {
    const { port, identity } = this.#options;
    for (const entry of entries) {
      const sent = this.#flight.add(entry.number);
      if (this.#ahead.has(entry.number)) {
        this.#flight.stored(sent);
        continue;
      }
      this.#flight.ask(sent);
      const before = this.#place.highest;
      port.publish(publicationOf(identity, entry, null), (answer) => this.#answered(sent, before, answer));
    }
  }

  async check(): Promise<void> {
    await checkStream(this.#options.port, this.place, this.#flight);
  }

  close(): Promise<void> {
    this.#attached = false;
    return this.#options.port.close();
  }

  #answered(sent: Sent, before: number, answer: Answer): void {
    if (!this.#attached) return;
    const failure = failureOf(answer);
    if (failure !== null) return this.#flight.failed(sent, failure);
    if (answer.kind === "stored" && !answer.duplicate && this.#place.isShorter(answer.sequence, before))
      this.#flight.doubt(isShorter);
    this.#ahead.add(sent.number);
    this.#flight.stored(sent);
    const { confirmed } = this.#flight;
    if (!this.#isHealing)
      for (const number of this.#ahead) if (number <= confirmed) this.#ahead.delete(number);
    if (answer.kind === "stored") this.#place.note(answer.sequence, sent.number, confirmed);
  }
}
