import { availableParallelism } from "node:os";
import { defineConfig, type ViteUserConfig } from "vitest/config";

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
