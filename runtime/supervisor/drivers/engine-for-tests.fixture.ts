// A real container engine with weir's image for tests: the one that WEIR_TEST_ENGINE names (unix:///…), which has
// to have the image, else a Podman of the test's own. Where there is none, tests are skipped and say why.

import { imageForTests } from "../../../deploy/image.fixture.ts";
import { messageOf } from "../../errors.ts";
import { podmanMissing, startPodman, type PodmanService } from "./podman-service.ts";

export interface TestEngine {
  readonly socketPath: string;
  /** Null where the engine is not of the test's own. */
  readonly podman: PodmanService | null;
  stop(): Promise<void>;
}

/** The engine, or why there is none and how to get one. */
export async function engineForTests(): Promise<TestEngine | string> {
  const named = process.env["WEIR_TEST_ENGINE"];
  if (named !== undefined && named !== "") {
    return { socketPath: named.replace("unix://", ""), podman: null, stop: () => Promise.resolve() };
  }
  const missing = podmanMissing(process.env);
  if (missing !== null) return missing;
  try {
    const podman = await startPodman(process.env);
    podman.load(imageForTests());
    return { socketPath: podman.socketPath, podman, stop: () => podman.stop() };
  } catch (error) {
    return messageOf(error);
  }
}
