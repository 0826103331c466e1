// The image for tests: made once for all of them. Not for tests of how it is made.

import { madeOnce } from "../runtime/testing/started.ts";
import { makeImage } from "./image.ts";

/** Its archive, which every engine loads. */
export function imageForTests(): string {
  return madeOnce("weir.tar", makeImage);
}
