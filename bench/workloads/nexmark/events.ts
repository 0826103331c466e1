// NEXMark's stream of an auction house, by the rules of its generator (of every 50 events 1 person, 3 auctions
// and 46 bids; hot auctions, bidders and sellers) with a seed, which the original has not. All kinds of event are in one
// stream and have `event` to tell them apart; an event is a tenth of a millisecond after the one before it.

import { seeded } from "../../seeded.ts";

/** A Monday, midnight in UTC. */
export const start_ms: number = Date.UTC(2024, 0, 1);
const eventsPerMs = 10;
const [persons, auctions, cycle] = [1, 3, 50] as const;
const firstId = 1_000;
const [hotAuctions, hotPeople] = [100, 100] as const;
const [inFlight, activePeople, lead] = [100, 1_000, 10] as const;
/** An auction ends while the next so many begin, at most. */
const horizonAuctions = 100;
const horizon_ms = (2 * horizonAuctions * cycle) / auctions / eventsPerMs;
const states = ["AZ", "CA", "ID", "OR", "WA", "WY"] as const;
const cities = ["Phoenix", "Los Angeles", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent"] as const;
const firstNames = ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah"] as const;
const lastNames = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones"] as const;
const hotChannels = ["Google", "Facebook", "Baidu", "Apple"] as const;
const channels = 10_000;
const [personBytes, auctionBytes, bidBytes] = [200, 500, 100] as const;
const letters = "abcdefghijklmnopqrstuvwxyz";

export interface PersonEvent {
  readonly event: "person";
  readonly id: number;
  readonly name: string;
  readonly city: string;
  readonly state: string;
  readonly dateTime: number;
}
interface OpeningEvent {
  readonly event: "auction";
  readonly id: number;
  readonly dateTime: number;
  readonly expires: number;
  readonly seller: number;
  readonly category: number;
}
interface BidEvent {
  readonly event: "bid";
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly dateTime: number;
  readonly extra: string;
}
/** One event of the stream, as far as queries read it. */
export type AuctionEvent = PersonEvent | OpeningEvent | BidEvent;

class AuctionHouse {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  event(place: number): Record<string, unknown> {
    const epoch = Math.floor(place / cycle);
    const rest = place % cycle;
    const dateTime = start_ms + Math.floor(place / eventsPerMs);
    if (rest < persons) return this.#person(epoch, dateTime);
    const auction = epoch * auctions + Math.min(rest - persons, auctions - 1);
    if (rest < persons + auctions) return this.#auction(auction, epoch, dateTime);
    return this.#bid(auction, epoch, dateTime);
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  #of<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  /** Letters, so that a record has its usual length, a fifth more or less. */
  #extra(bytes: number, taken: number): string {
    const length = Math.max(0, Math.round(bytes * (0.8 + 0.4 * this.#random())) - taken);
    let text = "";
    while (text.length < length) text += letters[this.#below(letters.length)];
    return text;
  }

  #price(): number {
    return Math.round(10 ** (this.#random() * 6) * 100);
  }

  #activePerson(last: number): number {
    const active = Math.min(last, activePeople);
    return last - active + this.#below(active + lead);
  }

  #person(epoch: number, dateTime: number): Record<string, unknown> {
    const name = `${this.#of(firstNames)} ${this.#of(lastNames)}`;
    const emailAddress = `${this.#of(letters.split(""))}@${this.#of(letters.split(""))}.com`;
    const creditCard = Array.from({ length: 4 }, () => String(this.#below(10_000)).padStart(4, "0")).join(
      " ",
    );
    const [city, state] = [this.#of(cities), this.#of(states)];
    const extra = this.#extra(personBytes, 90);
    const id = firstId + epoch;
    return { event: "person", id, name, emailAddress, creditCard, city, state, dateTime, extra };
  }

  #auction(number: number, epoch: number, dateTime: number): Record<string, unknown> {
    const hot = this.#below(4) > 0;
    const seller = firstId + (hot ? Math.floor(epoch / hotPeople) * hotPeople : this.#activePerson(epoch));
    const initialBid = this.#price();
    return {
      event: "auction",
      id: firstId + number,
      itemName: this.#extra(20, 0),
      description: this.#extra(100, 0),
      initialBid,
      reserve: initialBid + this.#price(),
      dateTime,
      expires: dateTime + 1 + this.#below(horizon_ms),
      seller,
      category: 10 + this.#below(5),
      extra: this.#extra(auctionBytes, 250),
    };
  }

  #bid(last: number, epoch: number, dateTime: number): Record<string, unknown> {
    const oldest = Math.max(0, last - inFlight);
    const hotAuction = this.#below(2) > 0;
    const auction = hotAuction
      ? Math.floor(last / hotAuctions) * hotAuctions
      : oldest + this.#below(last - oldest + 1 + lead);
    const hotBidder = this.#below(4) > 0;
    const bidder = hotBidder ? Math.floor(epoch / hotPeople) * hotPeople + 1 : this.#activePerson(epoch);
    const channel = this.#below(2) > 0 ? this.#of(hotChannels) : `channel-${this.#below(channels)}`;
    return {
      event: "bid",
      auction: firstId + auction,
      // The original adds the first person's number twice; so bidders begin there.
      bidder: firstId * 2 + bidder,
      price: this.#price(),
      channel,
      url: `https://www.nexmark.com/${this.#of(letters.split(""))}/item.htm?query=1`,
      dateTime,
      extra: this.#extra(bidBytes, 40),
    };
  }
}

export function* events(records: number): Generator<string> {
  const house = new AuctionHouse(1);
  for (let place = 0; place < records; place++) yield JSON.stringify(house.event(place));
}
