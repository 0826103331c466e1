// weir/sdk: the only door of the operator contract.

export { z } from "zod";
export { put } from "./added-values.ts";
export * from "./batch.ts";
export * from "./expression.ts";
export * from "./field.ts";
export * from "./operator.ts";
export * from "./keyed.ts";
export * from "./record.ts";
export * from "./record-view.ts";
export * from "./reference.ts";
export * from "./state.ts";
export * from "./zone.ts";
