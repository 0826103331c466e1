// All workloads, in the order in which they are shown.

import type { Workload } from "../side-by-side/workload.ts";
import { filter } from "./ekuiper/filter/workload.ts";
import { uc2 } from "./theodolite/uc2/workload.ts";
import { readings } from "./weir/readings/workload.ts";

export const workloads: readonly Workload[] = [uc2, filter, readings];
