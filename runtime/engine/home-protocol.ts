// What crosses between a worker and the home thread of a pipeline with operators of the user's own.
// Data only.

import type { PayloadBatch } from "../batch/payloads.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { PipelineInput } from "./loader.ts";
import type { PackedRows } from "./row-pack.ts";
import type { PipelineStatus } from "./status.ts";

export type HomeRequest =
  | {
      readonly kind: "open";
      readonly input: PipelineInput;
      /** By source. */
      readonly headers: readonly (readonly string[] | null)[];
      readonly identity: string;
    }
  | {
      readonly kind: "feed";
      readonly payloads: PayloadBatch;
      readonly now: number;
      readonly input: number;
      readonly elapsed: number;
    }
  /** `input` null: every source has nothing. */
  | {
      readonly kind: "tick";
      readonly now: number;
      readonly input: number | null;
      readonly elapsed: number;
    }
  | { readonly kind: "end"; readonly now: number; readonly input: number; readonly elapsed: number }
  | { readonly kind: "reference"; readonly table: string; readonly content: ReferenceContent }
  | { readonly kind: "go_on" }
  | { readonly kind: "checkpoint"; readonly elapsed: number }
  | { readonly kind: "whole" }
  | {
      readonly kind: "restore";
      readonly changes: readonly Uint8Array<ArrayBuffer>[];
      readonly elapsed: number;
    }
  | { readonly kind: "finish"; readonly now: number };

/** One answer for each request, in order. */
export type HomeAnswer =
  | {
      readonly kind: "done";
      /** By branch. */
      readonly rows: readonly PackedRows[];
      readonly letters: readonly { readonly letter: DeadLetter; readonly arrived: number }[];
      readonly status: PipelineStatus;
      readonly isBehind: boolean;
      /** What a request for state asked for; null where there is none. */
      readonly state: Uint8Array<ArrayBuffer> | null;
    }
  /** It could not be done, and nothing was changed. */
  | {
      readonly kind: "refused";
      readonly code: "WEIR_STATE" | "WEIR_STATE_CHANGED";
      readonly message: string;
      readonly remedy: string | null;
    }
  | { readonly kind: "failed"; readonly message: string; readonly remedy: string | null };
