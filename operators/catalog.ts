// Every built-in operator, one line each. The only list of them.

import type { OperatorDefinition } from "weir/sdk";
import { absence } from "./condition/absence.ts";
import { hold } from "./condition/hold.ts";
import { pattern } from "./condition/pattern.ts";
import { filter } from "./filter/filter.ts";
import { align } from "./join/align.ts";
import { join } from "./join/join.ts";
import { lookup } from "./lookup/lookup.ts";
import { deadband } from "./signal/deadband.ts";
import { dedup } from "./signal/dedup.ts";
import { ewma } from "./signal/ewma.ts";
import { lttb } from "./signal/lttb.ts";
import { outlier } from "./signal/outlier.ts";
import { previous } from "./signal/previous.ts";
import { rate } from "./signal/rate.ts";
import { reorder } from "./signal/reorder.ts";
import { sample } from "./signal/sample.ts";
import { swinging_door } from "./signal/swinging_door.ts";
import { throttle } from "./signal/throttle.ts";
import { top } from "./signal/top.ts";
import { drop } from "./transform/drop.ts";
import { pseudonym } from "./transform/pseudonym.ts";
import { select } from "./transform/select.ts";
import { set } from "./transform/set.ts";
import { unnest } from "./transform/unnest.ts";
import { window } from "./window/window.ts";

export const catalog: readonly OperatorDefinition[] = [
  filter,
  set,
  select,
  drop,
  unnest,
  pseudonym,
  lookup,
  window,
  deadband,
  dedup,
  ewma,
  outlier,
  rate,
  previous,
  reorder,
  sample,
  throttle,
  swinging_door,
  lttb,
  top,
  absence,
  hold,
  pattern,
  align,
  join,
];
