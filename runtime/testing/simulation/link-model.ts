// The way between one life and one server: messages take their time, are lost, come late, and links are cut. What was sent
// before a cut, or by a life that has ended, may still arrive. Decides nothing about data.

import type { Random } from "./random.ts";
import type { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ServerModel } from "./server-model.ts";

/** What goes wrong on the way, by chance; 0 for never. */
export interface Weather {
  readonly lostRequest: number;
  readonly lostAnswer: number;
  readonly delayed: number;
  /** How late a delayed message may be. */
  readonly delay_ms: number;
  /** What was under way when the connection was lost arrives all the same. */
  readonly heldBack: boolean;
}

export const fairWeather: Weather = {
  lostRequest: 0,
  lostAnswer: 0,
  delayed: 0,
  delay_ms: 0,
  heldBack: true,
};

/** How long somebody waits for an answer, as the client does. */
const answer_ms_max = 5_000;

/** The wire to a server, which all lives share: it is cut for all of them. */
export class Wire {
  readonly server: ServerModel;
  readonly scheduler: Scheduler;
  weather: Weather = fairWeather;
  readonly #random: Random;
  readonly #changed = new Set<() => void>();
  #cut = false;
  #cuts = 0;

  constructor(server: ServerModel, scheduler: Scheduler, random: Random) {
    this.server = server;
    this.scheduler = scheduler;
    this.#random = random;
    server.watch(() => {
      if (!server.up) this.#cuts++;
      this.#tell();
    });
  }

  get open(): boolean {
    return !this.#cut && this.server.up;
  }

  /** How often connections have been lost so far: what was sent before gets no answer. */
  get generation(): number {
    return this.#cuts;
  }

  cut(): void {
    if (this.#cut) return;
    this.#cut = true;
    this.#cuts++;
    this.scheduler.note(`${this.server.name}: link cut`);
    this.#tell();
  }

  mend(): void {
    if (!this.#cut) return;
    this.#cut = false;
    this.scheduler.note(`${this.server.name}: link mended`);
    this.#tell();
  }

  watch(task: () => void): () => void {
    this.#changed.add(task);
    return () => void this.#changed.delete(task);
  }

  /** How long a message takes; null when it never arrives. */
  passage(): number | null {
    const { lostRequest, delayed, delay_ms } = this.weather;
    const random = this.#random;
    const normal = 0.5 + random.next() * 4;
    if (random.chance(lostRequest)) return null;
    return random.chance(delayed) ? normal + random.next() * delay_ms : normal;
  }

  losesAnswer(): boolean {
    return this.#random.chance(this.weather.lostAnswer);
  }

  #tell(): void {
    for (const task of this.#changed) task();
  }
}

interface Waiting {
  readonly lose: () => void;
}

/** One life's connection over a wire. */
export class LinkModel {
  readonly life: Life;
  readonly wire: Wire;
  readonly #waiting = new Set<Waiting>();
  readonly #cuts: (() => void)[] = [];
  #resuming: (() => void)[] = [];

  constructor(life: Life, wire: Wire) {
    this.life = life;
    this.wire = wire;
    const unwatch = wire.watch(() => this.#changed());
    life.onEnd(unwatch);
  }

  /** Calls `task` whenever the connection was lost, behind the answers of what was in flight. */
  onCut(task: () => void): void {
    this.#cuts.push(task);
  }

  /**
   * Sends something that `act` does at the server when it arrives, and says what came back: null when nothing did. A crash
   * may come instead; what was sent by then arrives all the same.
   */
  send<T>(label: string, act: () => T, answered: (answer: T | null) => void): void {
    const { life, wire } = this;
    if (!life.callsOut(label)) return;
    const scheduler = wire.scheduler;
    const { generation } = wire;
    let settled = false;
    const settle = (answer: T | null): void => {
      if (settled) return;
      settled = true;
      this.#waiting.delete(waiting);
      if (life.callsOut("answer")) answered(answer);
    };
    const waiting: Waiting = { lose: () => settle(null) };
    this.#waiting.add(waiting);
    // Only what will never be answered needs somebody who gives up.
    const sent_ms = scheduler.now;
    const giveUp = (): void =>
      void scheduler.after(sent_ms + answer_ms_max - scheduler.now, "no answer", () => settle(null));
    const passage = wire.open ? wire.passage() : null;
    if (passage === null) return giveUp();
    if (passage > answer_ms_max) giveUp();
    scheduler.after(passage, label, () => {
      const isCut = wire.generation !== generation && !wire.weather.heldBack;
      if (isCut || !wire.server.up) return giveUp();
      const answer = act();
      const back = wire.losesAnswer() ? null : wire.passage();
      if (back === null) return giveUp();
      scheduler.after(back, "answer", () => {
        if (wire.generation === generation && wire.open) settle(answer);
        else giveUp();
      });
    });
  }

  /** Asks the server until it answers, however long that takes. */
  ask<T>(label: string, act: () => T): Promise<T> {
    return new Promise((resolve) => {
      const attempt = (): void => {
        if (!this.life.alive) return;
        if (!this.wire.open) {
          this.#resuming.push(attempt);
          return;
        }
        let value: { readonly answer: T } | null = null;
        this.send(
          label,
          () => {
            value = { answer: act() };
            return value;
          },
          (answer) => {
            if (answer === null) attempt();
            else resolve(answer.answer);
          },
        );
      };
      attempt();
    });
  }

  #changed(): void {
    if (!this.life.alive) return;
    if (!this.wire.open) {
      this.wire.scheduler.after(0, "connection lost", () => {
        for (const { lose } of this.#waiting) if (this.life.alive) lose();
        for (const task of this.#cuts) if (this.life.alive) task();
      });
      return;
    }
    const resuming = this.#resuming;
    this.#resuming = [];
    for (const attempt of resuming) this.wire.scheduler.after(1, "connected again", attempt);
  }
}
