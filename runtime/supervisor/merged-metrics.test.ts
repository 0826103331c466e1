import { expect, test } from "vitest";
import { mergedMetrics } from "./merged-metrics.ts";

const one = `# TYPE weir_source_records counter
# HELP weir_source_records Records read.
weir_source_records_total{pipeline="a",source="source {1} 2"} 5
# TYPE weir_worker_running gauge
# HELP weir_worker_running 1 while it runs.
weir_worker_running 1
# EOF
`;
const other = `# TYPE weir_worker_running gauge
# HELP weir_worker_running 1 while it runs.
weir_worker_running 0
# EOF
`;

test("families stand together, and each sample says whose it is", () => {
  const texts = new Map([
    ["shared-1", one],
    ["own-b", other],
  ]);
  expect(mergedMetrics(texts)).toBe(`# TYPE weir_source_records counter
# HELP weir_source_records Records read.
weir_source_records_total{worker="shared-1",pipeline="a",source="source {1} 2"} 5
# TYPE weir_worker_running gauge
# HELP weir_worker_running 1 while it runs.
weir_worker_running{worker="shared-1"} 1
weir_worker_running{worker="own-b"} 0
# EOF
`);
});

test("of no worker there is nothing to say", () => {
  expect(mergedMetrics(new Map())).toBe("# EOF\n");
});
