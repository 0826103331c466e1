// All workloads, in the order in which they are shown.

import type { Workload } from "../side-by-side/workload.ts";
import { filter } from "./ekuiper/filter/workload.ts";
import { q0 } from "./nexmark/q0/workload.ts";
import { q1 } from "./nexmark/q1/workload.ts";
import { q2 } from "./nexmark/q2/workload.ts";
import { q3 } from "./nexmark/q3/workload.ts";
import { q4 } from "./nexmark/q4/workload.ts";
import { q5 } from "./nexmark/q5/workload.ts";
import { q7 } from "./nexmark/q7/workload.ts";
import { q8 } from "./nexmark/q8/workload.ts";
import { q11 } from "./nexmark/q11/workload.ts";
import { q12 } from "./nexmark/q12/workload.ts";
import { uc1 } from "./theodolite/uc1/workload.ts";
import { uc2 } from "./theodolite/uc2/workload.ts";
import { uc3 } from "./theodolite/uc3/workload.ts";
import { uc4 } from "./theodolite/uc4/workload.ts";
import { readings } from "./weir/readings/workload.ts";

export const workloads: readonly Workload[] = [
  uc1,
  uc2,
  uc3,
  uc4,
  q0,
  q1,
  q2,
  q3,
  q4,
  q5,
  q7,
  q8,
  q11,
  q12,
  filter,
  readings,
];
