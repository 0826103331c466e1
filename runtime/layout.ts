// Where the parts of weir lie that are files of their own: in the source tree, and in the folder of a bundle, which
// deploy/bundle.ts makes from these lists. Nothing else knows of both, or that there are two.

/** By its place in a bundle, a part's place in the source tree. */
export const parts = {
  "weir.js": "runtime/cli/weir.mjs",
  "demo-leash.js": "runtime/cli/demo-leash.ts",
  "home-thread.js": "runtime/engine/home-thread.ts",
  "pool-thread.js": "runtime/engine/pool-thread.ts",
  "rehearsal-thread.js": "runtime/engine/rehearsal-thread.ts",
  "test-thread.js": "runtime/cli/test-thread.ts",
  "sdk.js": "operators/sdk/index.ts",
  "kernel.wasm": "build/kernel.wasm",
  "pipelines/": "pipelines/",
  // Of the pipelines.
  "operators/examples/": "operators/examples/",
} as const;

export type Part = keyof typeof parts;

interface Copy {
  readonly commands: readonly string[];
  /** Parts that share modules with them. */
  readonly parts: readonly Part[];
}

/**
 * Commands of which many start at once, or for which many wait. In a bundle each folder has its own copy of all that they
 * load, in few files: to find and link a hundred small ones takes a fifth of a worker's start.
 */
export const copies: Readonly<Record<"running/" | "supervising/", Copy>> = {
  "running/": {
    commands: ["worker", "run"],
    parts: ["home-thread.js", "pool-thread.js", "rehearsal-thread.js", "sdk.js"],
  },
  "supervising/": { commands: ["supervise"], parts: [] },
};

/** In a bundle, the copy that this module is in, and an empty text in none of them. The bundle's maker says so. */
declare const BUNDLE_COPY: keyof typeof copies | "";
const copy: keyof typeof copies | "" | null = typeof BUNDLE_COPY === "undefined" ? null : BUNDLE_COPY;

const own: readonly Part[] = copy === null || copy === "" ? [] : copies[copy].parts;

/** A file that only the source tree has; null in a bundle. */
export function sourceUrl(path: string): URL | null {
  return copy === null ? new URL(`../${path}`, import.meta.url) : null;
}

/** Where a part is. */
export function partUrl(part: Part): URL {
  if (copy === null) return new URL(`../${parts[part]}`, import.meta.url);
  return new URL(copy === "" || own.includes(part) ? part : `../${part}`, import.meta.url);
}
