import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SinkStats } from "../connect/connect.ts";
import { limits } from "../limits.ts";
import { ChainAccount, droppedSince, sumOf } from "./chain-account.ts";

/** A chain of which a test says what became of its rows. */
function chainWith(waiting = 0): { known: SinkStats; account: ChainAccount } {
  const chain = { known: { rows: 0, bytes: 0, pending: waiting, dropped: {} } as SinkStats };
  return Object.assign(chain, { account: new ChainAccount(() => chain.known) });
}

describe("of one sink", () => {
  it("says what is known of the chain, and counts nothing as arrived that was dropped or waits elsewhere", () => {
    const chain = chainWith();
    const share = chain.account.share();
    share.made(600);
    chain.known = { rows: 100, bytes: 400, pending: 0, dropped: { expired: 500 } };
    expect(share.stats()).toEqual(chain.known);
  });

  it("counts what an earlier start has left as waiting, and as arrived once it is there", () => {
    const chain = chainWith(300);
    const share = chain.account.share();
    share.made(10);
    chain.known = { rows: 0, bytes: 0, pending: 310, dropped: {} };
    expect(share.stats()).toEqual(chain.known);
    chain.known = { rows: 210, bytes: 840, pending: 0, dropped: { overflow: 100 } };
    expect(share.stats()).toEqual(chain.known);
  });

  it("tells what arrived and was lost there as dropped, and not as both", () => {
    const chain = chainWith();
    const share = chain.account.share();
    share.made(10);
    for (const [rows, lost] of [
      [10, 0],
      [6, 4],
    ] as const) {
      chain.known = { rows, bytes: 30, pending: 0, dropped: lost === 0 ? {} : { lost } };
      expect(share.stats()).toEqual(chain.known);
    }
  });
});

describe("of sinks that share a chain", () => {
  it("tells rows apart in the order in which they were made", () => {
    const chain = chainWith();
    const [first, second] = [chain.account.share(), chain.account.share()];
    first.made(1);
    second.made(7);
    first.made(1);
    chain.known = { rows: 8, bytes: 80, pending: 1, dropped: {} };
    expect(first.stats()).toEqual({ rows: 1, bytes: 10, pending: 1, dropped: {} });
    expect(second.stats()).toEqual({ rows: 7, bytes: 70, pending: 0, dropped: {} });
    chain.known = { rows: 8, bytes: 80, pending: 0, dropped: { expired: 1 } };
    expect(first.stats().dropped).toEqual({ expired: 1 });
    expect(second.stats().dropped).toEqual({});
  });

  it("says of all of them together what is known of the chain, however much waits", () => {
    const happening = fc.oneof(
      fc.record({ sink: fc.nat(2), made: fc.nat(9) }),
      fc.record({ arrived: fc.nat(20) }),
      fc.record({ dropped: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), fc.nat(30), (happenings, left) => {
        const chain = chainWith(left);
        const shares = [0, 1, 2].map(() => chain.account.share());
        for (const each of happenings) {
          const { rows, bytes, pending, dropped } = chain.known;
          const { expired = 0 } = dropped;
          if ("made" in each) {
            shares[each.sink]!.made(each.made);
            chain.known = { ...chain.known, pending: pending + each.made };
          } else if ("arrived" in each) {
            const some = Math.min(each.arrived, pending);
            chain.known = {
              ...chain.known,
              rows: rows + some,
              bytes: bytes + some * 3,
              pending: pending - some,
            };
          } else {
            const some = Math.min(each.dropped, pending);
            chain.known = { ...chain.known, pending: pending - some, dropped: { expired: expired + some } };
          }
          const told = sumOf(shares.map((share) => share.stats()));
          expect({ ...told, dropped: told.dropped["expired"] ?? 0 }).toEqual({
            ...chain.known,
            dropped: chain.known.dropped["expired"] ?? 0,
          });
        }
      }),
    );
  });

  it("keeps count where far more waits than it remembers one by one", () => {
    const chain = chainWith();
    const [first, second] = [chain.account.share(), chain.account.share()];
    const turns = limits.outbox_places_max * 3 + 1;
    for (let turn = 0; turn < turns; turn++) {
      first.made(1);
      second.made(2);
    }
    chain.known = { rows: turns * 3, bytes: 0, pending: 0, dropped: {} };
    expect(first.stats()).toMatchObject({ rows: turns, pending: 0 });
    expect(second.stats()).toMatchObject({ rows: turns * 2, pending: 0 });
  });
});

it("knows what was dropped since the start", () => {
  expect(droppedSince({ expired: 3 }, { expired: 3, overflow: 2 })).toEqual({ overflow: 2 });
});
