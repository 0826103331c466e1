// The pipeline of the design page, for the tests of this room.

export { catalog as operators } from "../../operators/catalog.ts";

export const coldChain = `# yaml-language-server: $schema=./pipeline.schema.json
name: cold-chain
about: One row per reefer and minute, and an alarm when one stays warm.

source:
  nats: { subject: "sensors.reefer.*.temp", stream: SENSORS }   # with a stream: JetStream, replayable; without: core NATS
  format: json
  schema: { device: string, ts: time, temp: float64, door: bool }   # optional; inferred from use where absent
  time: { field: ts, unit: ms, lateness: 30s, idle: 10s, ahead: 5m }

steps:
  - filter: temp > -60 && temp < 60
  - branch:
      condensed:
        - window:
            tumbling: 1m
            by: device
            select: { mean: mean(temp), max: max(temp), p99: quantile(temp, 0.99), n: count() }
          keys: { max: 1000 }
        - sink: { nats: { subject: "cloud.reefer.{device}", stream: FLEET }, format: msgpack }
      alarms:
        - hold: { when: temp > -15, for: 10m, by: device, clear: temp < -18 }
        - sink: { nats: { subject: "alarm.reefer.{device}", stream: ALARMS }, format: json }

dead_letter: { nats: { subject: "dlq.cold-chain", stream: DLQ } }

tests:
  - name: a warm reefer raises one alarm
    input:
      - { device: r1, ts: 0s, temp: -10 }
      - { device: r1, ts: 11m, temp: -10 }
    expect: { alarms: [{ device: r1 }] }
`;
