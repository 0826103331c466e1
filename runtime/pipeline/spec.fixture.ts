// What a pipeline's text says, as its spec, and its mistakes in lines.

import { expect } from "vitest";
import { operators } from "./cold-chain.fixture.ts";
import { readDocument } from "./document.ts";
import { readSpec, type SpecAnswer } from "./spec.ts";

export function read(text: string): SpecAnswer {
  const { document, diagnostics } = readDocument("p.yaml", text);
  expect(diagnostics).toEqual([]);
  return readSpec(document!, operators);
}

export function faultsOf(text: string): string[] {
  return read(text).diagnostics.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message}${hint === null ? "" : ` | ${hint}`}`,
  );
}
