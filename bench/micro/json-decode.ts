// One full batch of JSON readings to the three columns that the pipeline reads: with the kernel, with the
// exact reader alone, and with `JSON.parse` and a loop that fills the same arrays.

import type { Column } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../../runtime/batch/payloads.ts";
import type { Decoder, FieldRead } from "../../runtime/codec/codec.ts";
import { createJsonDecoder } from "../../runtime/codec/json/decoder.ts";
import { hasKernel } from "../../runtime/codec/kernel/kernel.ts";
import { limits } from "../../runtime/limits.ts";
import { makeReadings } from "../readings.ts";
import type { Way, Workload } from "./workload.ts";

const fields: readonly FieldRead[] = [
  { name: "device", type: "string" },
  { name: "ts", type: "time" },
  { name: "temp", type: "float64" },
];

function answerOf(devices: (row: number) => string, times: Float64Array, temps: Float64Array): string {
  return Array.from(times, (time, row) => `${devices(row)} ${time} ${temps[row]}`).join("\n");
}

function decoding(engine: string, decoder: Decoder, payloads: PayloadBatch): Way {
  return {
    engine,
    answer: () => {
      const [device, time, temp] = decoder.decode(payloads).columns as readonly [Column, Column, Column];
      const devices = (row: number): string => device.dictionary!.text(device.values[row] as number);
      return answerOf(devices, time.values as Float64Array, temp.values as Float64Array);
    },
    run: () => decoder.decode(payloads),
  };
}

function parsing({ bytes, offsets, count }: PayloadBatch): Way {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const devices: string[] = Array.from({ length: count }, () => "");
  const times = new Float64Array(count);
  const temps = new Float64Array(count);
  const run = (): void => {
    for (let row = 0; row < count; row++) {
      const text = buffer.toString("latin1", offsets[row], offsets[row + 1]);
      const reading = JSON.parse(text) as { device: string; ts: number; temp: number };
      devices[row] = reading.device;
      times[row] = reading.ts;
      temps[row] = reading.temp;
    }
  };
  const answer = (): string => {
    run();
    return answerOf((row) => devices[row]!, times, temps);
  };
  return { engine: "JSON.parse", answer, run };
}

export function jsonDecode(): readonly Workload[] {
  const payloads = makeReadings(limits.batch_rows_max)[0]!;
  const ways = [
    // Absent where the kernel was not built, or cannot run.
    ...(hasKernel() ? [decoding("kernel", createJsonDecoder(fields), payloads)] : []),
    decoding("exact reader", createJsonDecoder(fields, { kernel: false }), payloads),
    parsing(payloads),
  ];
  return [{ name: "json decode, 3 of 5 fields", records: payloads.count, ways }];
}
