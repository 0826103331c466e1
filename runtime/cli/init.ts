// weir init: a commented pipeline to start from. It lints and its test passes as it is written.

import { existsSync, writeFileSync } from "node:fs";
import { WeirError } from "../errors.ts";
import { print } from "./terminal.ts";

const template = `# A weir pipeline: source, steps, sink. "weir lint" checks it, "weir test" runs the tests at its
# end, "weir explain" shows the plan, "weir run" runs it.
name: first-pipeline
about: One row per device and minute.

source:
  # Core NATS; add "stream: NAME" to read a JetStream stream, or try "file: { path: readings.ndjson }"
  # or "host: { every: 1s }" (this machine's own sensors). {device} takes that token of the subject as
  # a column.
  nats: { subject: "sensors.{device}.temp" }
  format: json                        # json, msgpack or csv
  schema: { ts: time, temp: float64 } # what is read; further fields pass through untouched
  time: { field: ts, unit: ms, lateness: 5s, idle: 10s }

steps:
  # Expressions are CEL: && || !, in [..], cond ? a : b, has(x), text.startsWith("x").
  - filter: temp > -60 && temp < 60
  - set: { temp_f: temp * 1.8 + 32 }
  - window:
      tumbling: 1m
      by: device
      select: { mean: mean(temp), max: max(temp), p99: quantile(temp, 0.99), fahrenheit: mean(temp_f), n: count() }
    keys: { max: 1000 }               # devices that are remembered at a time; "weir explain" shows what they take
    # Records that come too late for their window can go somewhere, instead of only being counted:
    # late: [{ sink: { file: { path: late.ndjson } } }]
  - sink: { stdout: {}, format: json }
  # To the cloud instead ("cloud" is a connection of weir.yaml or --nats cloud=nats://host:4222):
  # - sink: { nats: { to: cloud, subject: "cloud.{device}.temp", stream: FLEET }, format: msgpack }

# Records that are broken, of a wrong type, without time or too far ahead, with their reason.
dead_letter: { file: { path: dead-letter.ndjson } }

tests:
  - name: a row per device and minute
    input:
      - { subject: sensors.a.temp, record: { ts: 0s, temp: 20 } }
      - { subject: sensors.a.temp, record: { ts: 30s, temp: 22 } }
      - { subject: sensors.b.temp, record: { ts: 40s, temp: 850 } }
      - { subject: sensors.a.temp, raw: "not json" }
    expect:
      main: [{ device: a, mean: 21, max: 22, n: 2 }]
    dead_letter: 1
`;

export async function init(file: string, options: { readonly force?: boolean }): Promise<number> {
  if (existsSync(file) && options.force !== true) {
    throw new WeirError("WEIR_USAGE", `${file} exists`, { remedy: "name another file, or add --force" });
  }
  writeFileSync(file, template);
  print(`wrote ${file}\n  weir lint ${file} && weir test ${file} && weir run ${file}`);
  return 0;
}
