// Records of a pipeline's own tests under subjects that its source does not read: the test takes them, and no server would send
// them. Warnings, because the pipeline itself is right. Pure.

import type { ConfigDocument } from "./document.ts";
import type { Diagnostic, PipelinePlan } from "./pipeline.ts";
import { overlaps, subjectFault } from "./subject.ts";

export function testSubjectWarnings({ spec }: PipelinePlan, document: ConfigDocument): readonly Diagnostic[] {
  const { inputs, tests } = spec;
  return tests.flatMap(({ input: items }, test) =>
    items.flatMap((item, place) => {
      if ((item.kind !== "record" && item.kind !== "raw") || item.subject === null) return [];
      const source = inputs.find(({ name }) => item.source === null || name === item.source)?.source;
      if (source?.kind !== "nats") return [];
      const isRead = subjectFault(item.subject, "fixed") === null && overlaps(item.subject, source.subject);
      if (isRead) return [];
      const at = document.spanOf(["tests", test, "input", place, "subject"]);
      const message = `the source reads ${source.subject}: this would never come`;
      return [document.diagnostic(at, message, "write a subject that it reads", "warning")];
    }),
  );
}
