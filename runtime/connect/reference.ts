// The port of what brings a reference table: bytes only, now and whenever they change. Never looks into
// them.

import type { ReferenceContent } from "../codec/reference/content.ts";

export interface ReferenceWatch {
  /** The content as it is now. Call it once, first. */
  load(): Promise<ReferenceContent>;
  /** `changed` gets each later content, once for each change; also that it cannot be read any more. */
  watch(changed: (content: ReferenceContent) => void): void;
  close(): Promise<void>;
}
