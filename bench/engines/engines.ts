// All that can be compared. An engine takes part in the workloads in whose folder its program lies.

import type { Engine } from "../side-by-side/engine.ts";
import { byHand } from "./by-hand.ts";
import { duckdbEngines } from "./duckdb.ts";
import { ekuiper } from "./ekuiper.ts";
import { flink } from "./flink.ts";
import { nodeRed } from "./node-red.ts";
import { externals } from "./programs.ts";
import { weirEngines } from "./weir.ts";

export const engines: readonly Engine[] = [
  ...weirEngines,
  ...byHand,
  ...duckdbEngines,
  nodeRed,
  ...externals,
  flink,
  ekuiper,
];
