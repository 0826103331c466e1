// All scenarios, which of them are run, and one run of one of them.

import { Random } from "../simulation/random.ts";
import { messageOf } from "../../errors.ts";
import { accountFaults } from "./account-faults.ts";
import { brokerFaults } from "./broker-faults.ts";
import { buildFaults } from "./build-faults.ts";
import { callFaults } from "./call-faults.ts";
import { diskFaults } from "./disk-faults.ts";
import { folderFaults } from "./folder-faults.ts";
import { laneFaults } from "./lane-faults.ts";
import { linkFaults } from "./link-faults.ts";
import { operatorFaults } from "./operator-faults.ts";
import { payloadFaults } from "./payload-faults.ts";
import { processFaults } from "./process-faults.ts";
import { signatureFaults } from "./signature-faults.ts";
import type { Outcome } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { storm } from "./storm.ts";
import { streamFaults } from "./stream-faults.ts";
import type { Tool } from "./tools.ts";
import type { Verdict } from "./verdict.ts";
import { World } from "./world.ts";

/** The longest is first, so that nobody waits for it alone at the end. */
export const scenarios: readonly Scenario[] = [
  storm,
  ...processFaults,
  ...brokerFaults,
  ...accountFaults,
  ...payloadFaults,
  ...diskFaults,
  ...folderFaults,
  ...callFaults,
  ...linkFaults,
  ...laneFaults,
  ...streamFaults,
  ...buildFaults,
  ...operatorFaults,
  ...signatureFaults,
];

export interface Choice {
  readonly chosen: readonly Scenario[];
  /** By name, with what they lack. */
  readonly skipped: readonly string[];
  /** Asked for, and none of the catalogue's. */
  readonly unknown: readonly string[];
}

/** What runs of `all`, where only some are wanted and some tools are missing. */
export function choose(
  all: readonly Scenario[],
  only: readonly string[] | null,
  missing: ReadonlySet<Tool>,
): Choice {
  const wanted = only === null ? all : all.filter(({ name }) => only.includes(name));
  const lacks = ({ needs = [] }: Scenario): readonly Tool[] => needs.filter((tool) => missing.has(tool));
  return {
    chosen: wanted.filter((scenario) => lacks(scenario).length === 0),
    skipped: wanted
      .filter((scenario) => lacks(scenario).length > 0)
      .map((scenario) => `${scenario.name} (no ${lacks(scenario).join(", ")})`),
    unknown: (only ?? []).filter((name) => !all.some((scenario) => scenario.name === name)),
  };
}

/** The seed of one scenario in a run of many; alone, with the run's seed, it does the same again. */
export function seedOf(seed: number, name: string): number {
  return name.split("").reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed | 0);
}

const nothing: Verdict = { records: 0, lost: 0, duplicated: 0, out_of_order: 0, wrong: 0, notes: [] };

/** Runs one scenario in a world of its own, and judges it. Never throws: what goes wrong is in the outcome. */
export async function runScenario(
  scenario: Scenario,
  seed: number,
  isShort: boolean,
  say: (line: string) => void,
): Promise<Outcome> {
  const { name } = scenario;
  const random = new Random(seedOf(seed, name));
  let world: World | null = null;
  let verdict = nothing;
  let fault: string | null = null;
  try {
    world = await World.make({ ...scenario.world, random, say });
    await scenario.run(world, isShort);
    verdict = await world.settle();
  } catch (error) {
    fault = messageOf(error);
  }
  const crashes = world === null ? 0 : world.crashes;
  await world?.close().catch((error: unknown) => (fault ??= messageOf(error)));
  return { name, seed, isShort, crashes, verdict, fault };
}
