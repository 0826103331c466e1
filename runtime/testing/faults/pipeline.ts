// The pipeline of fault runs: every record as it is, windows by key, and one record in a hundred to a stream that others may
// write to. Text only.

import { sourceStream, sourceSubject } from "./publisher.ts";
import { sampledBelow } from "./records.ts";

export const pipelineText: string = `name: faults
source:
  nats: { subject: "${sourceSubject}", stream: ${sourceStream} }
  framing: lines
  format: json
  schema: { device: string, seq: float64, ts: time, value: float64 }
  time: { field: ts, unit: ms, lateness: 2s }
steps:
  - branch:
      raw:
        - sink: { nats: { subject: "raw.rows", stream: RAW, to: cloud }, format: json, batch: { rows: 500 } }
      windows:
        - window: { tumbling: 1s, by: device, select: { n: count(), total: sum(value) } }
        - sink: { nats: { subject: "win.{device}", stream: WIN, to: cloud }, format: json }
      samples:
        - filter: value < ${sampledBelow}
        - sink: { nats: { subject: "sub.{device}", stream: SUB, to: cloud, delivery: subject }, format: json }
`;
