// Every built-in operator, one line each. The only list of them.

import type { OperatorDefinition } from "weir/sdk";
import { filter } from "./filter/filter.ts";
import { drop } from "./transform/drop.ts";
import { select } from "./transform/select.ts";
import { set } from "./transform/set.ts";
import { window } from "./window/window.ts";

export const catalog: readonly OperatorDefinition[] = [filter, set, select, drop, window];
