// A place that goes from owner to owner, a stream or a lane of one: the former owner stores nothing behind the claim of the
// next, whatever the network does, and whenever it comes back.

import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { unpackMultiple } from "msgpackr";
import { describe, expect, test, vi } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { claimSubject, standingAt } from "./claim.ts";
import { exclusiveTarget } from "./exclusive-target.ts";
import { laneTarget } from "./lane-target.ts";
import { MemoryStream, MemoryStreamPort } from "./memory-stream.fixture.ts";
import { begin, fill, type Make, seeded, settled, texts } from "./running-chain.fixture.ts";
import type { Answer, Publication, StoredMessage } from "./stream-port.ts";

interface Place {
  readonly make: Make;
  /** What claims go to. */
  readonly claims: string;
  /** The texts of the rows in a message. */
  readonly texts: (message: StoredMessage) => readonly string[];
}

const lane = "up.fleet.rows.live";
const places: Readonly<Record<string, Place>> = {
  "a stream": {
    make: exclusiveTarget,
    claims: claimSubject("MODEL"),
    texts: ({ payload }) => [Buffer.from(payload).toString()],
  },
  "a lane": {
    make: (options) => laneTarget({ ...options, subject: lane }),
    claims: lane,
    texts: ({ payload }) =>
      (unpackMultiple(payload) as unknown[][]).map((row) => Buffer.from(row[5] as Uint8Array).toString()),
  },
};

interface Row {
  readonly text: string;
  readonly term: string | undefined;
}

function isRows({ payload }: StoredMessage): boolean {
  return payload.length > 0;
}

function message(headers: Readonly<Record<string, string>>): StoredMessage {
  return { sequence: 1, subject: "a", payload: Buffer.from(""), headers: new Map(Object.entries(headers)) };
}

test("the end of a stream says whose it is", () => {
  const cases: readonly (readonly [StoredMessage | null, ReturnType<typeof standingAt>])[] = [
    [null, "claim"],
    [message({}), "claim"],
    [message({ "weir-term": "1" }), "claim"],
    [message({ "weir-term": "2" }), "ours"],
    [message({ "weir-term": "3" }), "outdated"],
    [message({ "weir-term": "x" }), "claim"],
  ];
  for (const [end, standing] of cases) expect(standingAt(end, 2)).toBe(standing);
});

/** A stream of somebody else's, which does not take claims yet. */
class OtherStream extends MemoryStream {
  takesClaims: boolean = false;
  readonly #claims: string;
  asked: number = 0;

  constructor(claims: string) {
    super();
    this.#claims = claims;
  }

  override store(publication: Publication): Answer {
    if (this.takesClaims || publication.subject !== this.#claims) return super.store(publication);
    return this.asked++ === 0 ? { kind: "lost" } : { kind: "absent" };
  }
}

describe.each(Object.entries(places))("%s", (_, { make, claims, texts: textsOf }) => {
  const rowsIn = (stream: MemoryStream): Row[] =>
    [...stream.messages.values()]
      .filter(isRows)
      .flatMap((each) => textsOf(each).map((text) => ({ text, term: each.headers.get("weir-term") })));
  const textsIn = (stream: MemoryStream): string[] => rowsIn(stream).map(({ text }) => text);
  const claimsIn = (stream: MemoryStream): number =>
    [...stream.messages.values()].filter((each) => !isRows(each) && each.subject === claims).length;

  test("an owner goes on in its own term without claiming again", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock, make, term: 1 });
    fill(first.outbox, 3);
    await settled(first.sender.flush(), clock);
    await first.sender.close();
    const again = begin({ stream, clock, make, term: 1, epoch: 2, outbox: first.outbox });
    fill(again.outbox, 3);
    await settled(again.sender.flush(), clock);
    expect(textsIn(stream)).toEqual(texts(1, 6));
    expect(claimsIn(stream)).toBe(1);
    await again.sender.close();
  });

  test("an owner that has the next turn as well goes on where it was, with what it had not sent", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const first = begin({ stream, clock, make, term: 1 });
    fill(first.outbox, 3);
    await settled(first.sender.flush(), clock);
    await first.sender.close();
    fill(first.outbox, 2);
    const again = begin({ stream, clock, make, term: 2, epoch: 2, outbox: first.outbox });
    fill(again.outbox, 3);
    await settled(again.sender.flush(), clock);
    expect(textsIn(stream)).toEqual(texts(1, 8));
    expect(claimsIn(stream)).toBe(2);
    await again.sender.close();
  });

  test("the former owner is refused before the next one has sent anything, and what it did not send it keeps", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const former = begin({ stream, clock, make, term: 1, id: "north.chain" });
    fill(former.outbox, 3);
    await settled(former.sender.flush(), clock);
    const next = begin({ stream, clock, make, term: 2, id: "south.chain" });
    await settled(next.sender.flush(), clock);
    fill(former.outbox, 2);
    await settled(former.sender.flush(), clock);
    expect(former.error).toMatchObject({ code: "WEIR_FENCED" });
    expect(former.error?.message).toContain("handed to another host (term 2, this was term 1)");
    // What it keeps is nowhere else: it is not called a copy that is to be removed.
    expect(former.error?.remedy).toMatch(/^Nothing is to be done; weir outbox export shows what stays/);
    expect(former.outbox.confirmed).toBe(3);
    fill(next.outbox, 1);
    await settled(next.sender.flush(), clock);
    expect(textsIn(stream)).toEqual(["1", "2", "3", "1"]);
    await former.sender.close();
    await next.sender.close();
  });

  test("an owner that is new does not read what those before it have sent", async () => {
    const stream = new MemoryStream();
    const clock = new VirtualClock();
    const former = begin({ stream, clock, make, term: 1, id: "north.chain" });
    fill(former.outbox, 500);
    await settled(former.sender.flush(), clock);
    await former.sender.close();
    const reads = vi.spyOn(MemoryStreamPort.prototype, "read");
    const next = begin({ stream, clock, make, term: 2, id: "south.chain" });
    await settled(next.sender.flush(), clock);
    fill(next.outbox, 2);
    await settled(next.sender.flush(), clock);
    expect(textsIn(stream).slice(-3)).toEqual(["500", "1", "2"]);
    expect(reads.mock.calls.length).toBeLessThan(10);
    reads.mockRestore();
    await next.sender.close();
  });

  test("a stream that takes no claims is told of once, and is what is waited for until it does", async () => {
    const stream = new OtherStream(claims);
    const clock = new VirtualClock();
    const said: string[] = [];
    const waits: (string | null)[] = [];
    const log = {
      info: () => undefined,
      warn: (line: string) => void said.push(line),
      waits: (who: string, what: string | null) => void waits.push(what === null ? null : `${who}: ${what}`),
    };
    const owner = begin({ stream, clock, make, term: 1, log });
    fill(owner.outbox, 1);
    const flushed = owner.sender.flush();
    while (stream.asked < 5) {
      await setImmediate();
      clock.advanceTo(clock.now() + 100);
    }
    expect(said).toEqual([
      `sink stream MODEL: cannot be claimed by its new owner, who tries for ever: no stream takes the row, or JetStream is away. The stream has to take ${claims} as well`,
    ]);
    expect(waits).toEqual([
      `sink stream MODEL: it is not claimed yet, and has to take ${claims}: no stream takes the row, or JetStream is away`,
    ]);
    stream.takesClaims = true;
    await settled(flushed, clock);
    expect([said.length, waits.at(-1), textsIn(stream)]).toEqual([1, null, ["1"]]);
    await owner.sender.close();
  });

  test("whatever is lost or late on the way, nothing of a term comes behind a later one", {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.boolean(), fc.nat(20), async (seed, comparesFirst, before) => {
        const stream = new MemoryStream();
        stream.comparesFirst = comparesFirst;
        const clock = new VirtualClock();
        const random = seeded(seed);
        const faults = { lostRequest: 0.1, lostAnswer: 0.1, delayed: 0.2 };
        const delayed: Publication[] = [];
        const former = begin({ stream, clock, make, term: 1, id: "north.chain", faults, random, delayed });
        fill(former.outbox, before);
        await settled(former.sender.flush(), clock);
        const next = begin({ stream, clock, make, term: 2, id: "south.chain", faults, random, delayed });
        fill(former.outbox, 10);
        fill(next.outbox, 10);
        await settled(
          Promise.all([next.sender.flush(), former.sender.flush()]).then(() => undefined),
          clock,
        );
        for (const publication of delayed) stream.store(publication);
        fill(former.outbox, 1);
        await settled(former.sender.flush(), clock);
        const terms = rowsIn(stream).map(({ term }) => term);
        const sent = terms.filter((term) => term === "1").length;
        expect(terms).toEqual([...Array<string>(sent).fill("1"), ...Array<string>(10).fill("2")]);
        expect(textsIn(stream)).toEqual([...texts(1, sent), ...texts(1, 10)]);
        expect(former.error).toMatchObject({ code: "WEIR_FENCED" });
        await former.sender.close();
        await next.sender.close();
      }),
      { numRuns: 60 },
    );
  });
});
