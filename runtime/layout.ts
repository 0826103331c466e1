// Where the parts of weir lie that are files of their own: in the source tree, and in the one folder of a
// bundle, which deploy/bundle.ts makes from this list. Nothing else knows of both, or that there are two.

/** By its place in a bundle, a part's place in the source tree. */
export const parts = {
  "weir.js": "runtime/cli/weir.mjs",
  "demo-leash.js": "runtime/cli/demo-leash.ts",
  "home-thread.js": "runtime/engine/home-thread.ts",
  "pool-thread.js": "runtime/engine/pool-thread.ts",
  "sdk.js": "operators/sdk/index.ts",
  "kernel.wasm": "build/kernel.wasm",
  "pipelines/": "pipelines/",
  // Of the pipelines.
  "operators/examples/": "operators/examples/",
} as const;

const isBundle = !import.meta.url.endsWith("/runtime/layout.ts");

/** A file that only the source tree has; null in a bundle. */
export function sourceUrl(path: string): URL | null {
  return isBundle ? null : new URL(`../${path}`, import.meta.url);
}

/** Where a part is. */
export function partUrl(part: keyof typeof parts): URL {
  return isBundle ? new URL(part, import.meta.url) : new URL(`../${parts[part]}`, import.meta.url);
}
