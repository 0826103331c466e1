import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";

// Hundreds of processes are started from the sources: with compiled code kept, each takes half the processor time to start.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, ".weir", "compile-cache");

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["{runtime,operators,bench,deploy,.ci}/**/*.test.ts"],
    pool: "forks",
    // One more than there are processors: many files wait for servers and containers while others compute.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});

export default config;
