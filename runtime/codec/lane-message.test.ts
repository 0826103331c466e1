import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { limits } from "../limits.ts";
import { cutOf } from "./framing.ts";
import { laneBody, laneMessage } from "./lane-message.ts";
import { packLaneRow } from "./lane-rows.ts";

function payloadOf(place: number): Uint8Array {
  const start = 1_700_000_000_000 + Math.floor(place / 4) * 60_000;
  const row = {
    window_start: start,
    window_end: start + 60_000,
    mote: place % 4,
    mean: 27 + (place % 97) / 100,
    n: 12,
  };
  return new TextEncoder().encode(JSON.stringify(row));
}

/** Rows of windows, as a sink writes them. */
function rows(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, place) =>
    packLaneRow(place + 1, {
      subject: `cloud.mote.${place % 4}`,
      payload: payloadOf(place),
      caused: place,
      rows: 1,
      headers: null,
    }),
  );
}

describe("a message of a lane", () => {
  test("is packed to less than a quarter where it is asked for, and its rows come out as they were", () => {
    const some = rows(200);
    const plain = laneMessage(some, false);
    const packed = laneMessage(some, true);
    expect(packed.length * 4).toBeLessThan(plain.length);
    expect(Buffer.from(laneBody(packed)).equals(plain)).toBe(true);
    const cut = cutOf("lane")!;
    for (const message of [plain, packed]) {
      const { bytes, starts, ends, count } = cut(message, 0);
      expect(count).toBe(200);
      for (let place = 0; place < count; place++)
        expect(Buffer.from(bytes.subarray(starts[place], ends[place])).equals(payloadOf(place))).toBe(true);
    }
  });

  test("stays as it is where packing gains nothing", () => {
    const few = rows(1);
    expect(laneMessage(few, true)).toStrictEqual(laneMessage(few, false));
    const noise = Array.from({ length: 100 }, (_, place) =>
      createHash("sha256").update(String(place)).digest(),
    );
    expect(laneMessage(noise, true)).toStrictEqual(laneMessage(noise, false));
  });

  test("that is damaged, or unpacks to too much, is one record for its decoder to refuse", () => {
    const packed = Uint8Array.from(laneMessage(rows(200), true));
    packed[packed.length >> 1]! ^= 0xff;
    const bomb = laneMessage([new Uint8Array(limits.lane_body_bytes_max + 1)], true);
    for (const message of [packed, bomb]) {
      const { count, starts, ends } = cutOf("lane")!(message, 0);
      expect([count, starts[0], ends[0]]).toStrictEqual([1, 0, message.length]);
    }
  });
});
