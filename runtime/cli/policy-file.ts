// The policy of a control centre as a small YAML file: read, with every mistake in it. What follows from it is decided elsewhere.

import { z } from "zod";
import { field } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { readDocument } from "../pipeline/document.ts";
import { diagnosticsOf } from "../pipeline/issue.ts";
import type { Diagnostic } from "../pipeline/pipeline.ts";
import { openPolicy, type Policy } from "../supervisor/control-policy.ts";

const rule = z.strictObject({
  users: z.array(z.string().min(1)).optional(),
  pipelines: z
    .array(z.string().regex(/^[a-z0-9_*-]+$/, "expected a name, or a pattern such as climate-*"))
    .optional(),
  labels: z.record(z.string(), z.string()).optional(),
  processors: z.number().positive().optional(),
  memory: field.size("What one pipeline may take at most.").optional(),
});

const policy = z.strictObject({
  lost_after: field
    .duration("How long a device is silent before its pipelines run elsewhere.")
    .refine(
      (after) => after >= limits.device_silent_ms,
      `expected ${limits.device_silent_ms / 1_000}s at least: devices say every ${limits.device_contact_ms / 1_000}s that they are there`,
    )
    .optional(),
  allow: z.array(rule).max(limits.control_rules_max).optional(),
});

export function readPolicy(
  file: string,
  text: string,
): { readonly policy: Policy; readonly diagnostics: readonly Diagnostic[] } {
  const { document, diagnostics } = readDocument(file, text);
  if (document === null) return { policy: openPolicy, diagnostics };
  const parsed = policy.safeParse(document.value ?? {});
  if (!parsed.success)
    return {
      policy: openPolicy,
      diagnostics: [...diagnostics, ...diagnosticsOf(parsed.error.issues, [], policy, document)],
    };
  const { lost_after = openPolicy.lost_after, allow = openPolicy.allow } = parsed.data;
  return { policy: { lost_after, allow }, diagnostics };
}
