// Theodolite's stream: power sensors `s_0`, `s_1`, … that each send one record a second, in turn. The original
// sends the constant 10; here a value is drawn, so that no engine can do with one text for all.

import { seeded } from "../../seeded.ts";

/** A Monday, midnight in UTC. */
export const start_ms: number = Date.UTC(2024, 0, 1);
const period_ms = 1_000;

export interface PowerRecord {
  readonly identifier: string;
  readonly timestamp: number;
  readonly valueInW: number;
}

/** `records` records of `sensors` sensors, a sensor's `period` ms apart. */
export function* power(records: number, sensors: number, period: number = period_ms): Generator<string> {
  const random = seeded(1);
  for (let place = 0; place < records; place++) {
    const timestamp = start_ms + Math.floor((place * period) / sensors);
    const valueInW = Math.round(random() * 10_000) / 10;
    yield JSON.stringify({ identifier: `s_${place % sensors}`, timestamp, valueInW });
  }
}
