// Messages that hold many records: what is cut lies within the message, one after the other, and cutting does not depend on what was
// cut before.

import type { Records } from "../../batch/payloads.ts";
import { type Cut, cutOf, type Framing } from "../../codec/framing.ts";
import { laneMessage } from "../../codec/lane-message.ts";
import { packLaneRow } from "../../codec/lane-rows.ts";
import { Packr } from "msgpackr/pack";
import { bytesOf, type FuzzTarget, wordsOf } from "./target.ts";

const packr = new Packr({ useRecords: false });

function rows(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, number) =>
    packLaneRow(number + 1, {
      subject: `site.climate.${number}`,
      caused: 1_700_000_000_000 + number,
      rows: 1,
      headers: number % 2 === 0 ? null : { "Nats-Msg-Id": `a-${number}` },
      payload: bytesOf(JSON.stringify({ n: number, t: 21.5 })),
    }),
  );
}

/** The records of a message; throws where they overlap, run backwards or lie outside. */
function recordsOf(cut: Cut, message: Uint8Array): string[] {
  const { bytes, starts, ends, count }: Records = cut(message, 1_700_000_000_000);
  const found: string[] = [];
  for (let record = 0, before = 0; record < count; record++) {
    const [start, end] = [starts[record]!, ends[record]!];
    if (start < before || end < start || end > bytes.length)
      throw new Error(`record ${record} is ${start} to ${end} of ${bytes.length}, behind ${before}`);
    found.push(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1"));
    before = end;
  }
  return found;
}

function target(framing: Framing, begins: readonly Uint8Array[], words: readonly Uint8Array[]): FuzzTarget {
  return {
    name: framing,
    begins,
    words,
    take: (message) => {
      const cut = cutOf(framing);
      if (cut === null) throw new Error(`${framing} cuts nothing`);
      const found = recordsOf(cut, message);
      recordsOf(cut, begins[0]!);
      const again = recordsOf(cut, message);
      if (found.length !== again.length || found.some((record, place) => record !== again[place]))
        throw new Error(`${found.length} records at first, ${again.length} after another message`);
    },
  };
}

const lines = Array.from({ length: 60 }, (_, n) => `{"n":${n},"text":"line ${n}"}`).join("\n");

export const framingTargets: readonly FuzzTarget[] = [
  target("lines", [bytesOf('{"a":1}\r\n\n{"a":2}\n'), bytesOf(lines)], wordsOf('\\n {"a":1} "')),
  target("array", [bytesOf('[{"a":[1,"]"]} , 2,"x\\""]'), bytesOf("[ ]")], wordsOf('[ ] { } , " \\\\" \\\\')),
  target("values", [Buffer.concat([packr.pack({ a: 1 }), packr.pack([1, "two"]), packr.pack(null)])], []),
  target(
    "senml",
    [
      bytesOf('[{"bn":"a:","bt":1600000000,"bu":"V","n":"x","v":1.5},{"n":"y","t":-5,"vs":"on","s":1}]'),
      bytesOf('{"n":"a","v":1}'),
    ],
    wordsOf('{"bn":"b", "bv":5 "bs":1 "bver":11 "t":1e9 "lock_":1 { } , ]'),
  ),
  target(
    "influx",
    [
      bytesOf(
        'cpu,host=a\\ b,cpu=0 used=1.5,n=3i,on=t,text="a \\"b\\" c" 1700000000000000000\n# no line\nmem used=.5\n',
      ),
      bytesOf('weather,site=x temp=21.5,note="two\nlines"'),
    ],
    wordsOf('a=1 , = \\ " \n 5i 7u -1e3 # \r'),
  ),
  target("lane", [laneMessage(rows(3), false), laneMessage(rows(120), true)], rows(2)),
];
