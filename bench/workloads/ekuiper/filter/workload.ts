// eKuiper's own measurement: readings of temperature and humidity, of which a rule lets the warm ones pass as
// they are. Half of them here, where the original does not say.

import { seeded } from "../../../seeded.ts";
import type { Workload } from "../../../side-by-side/workload.ts";

function* stream(records: number): Generator<string> {
  const random = seeded(1);
  for (let place = 0; place < records; place++) {
    const temperature = Math.round(random() * 1_000) / 10;
    const humidity = Math.round(random() * 100);
    yield JSON.stringify({ temperature, humidity });
  }
}

export const filter: Workload = {
  suite: "ekuiper",
  name: "filter",
  about: "SELECT * WHERE temperature > 50, 38-byte records of which half pass",
  records: 2_000_000,
  stream,
  canonical: ({ temperature, humidity }) => `${Number(temperature)},${Number(humidity)}`,
};
