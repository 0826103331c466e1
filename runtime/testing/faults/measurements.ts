// What fault runs measure instead of counting.

import type { Measurement } from "./measurement.ts";
import { overload } from "./overload.ts";
import { recovery } from "./recovery.ts";

export const measurements: readonly Measurement[] = [recovery, overload];
