// `npm run bench -- rules`: eKuiper's fan-out, many rules on one stream. What a record costs in all rules together and
// what a rule takes of memory, from one rule to eight thousand, each number of rules in a process of its own.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { atMost, type Report } from "./report.ts";
import { ekuiper } from "./engines/ekuiper.ts";
import { kuiperRules } from "./rules-ekuiper.ts";
import type { RulesFigures } from "./rules-load.ts";

const program: string = fileURLToPath(new URL("./rules-load.ts", import.meta.url));
const counts = [1, 10, 100, 300, 1_000, 8_000] as const;
/** Those that eKuiper is asked for, too. */
const kuiperCounts: ReadonlySet<number> = new Set([1, 300]);
/** What 300 rules may cost, in rules of which each is alone. */
const costWanted = 10;
const bytesWanted = 60_000;
const rounds = 10;

function figuresOf(rules: number, records: number): RulesFigures {
  const parameters = ["--expose-gc", program, String(rules), String(records), String(rounds)];
  return JSON.parse(execFileSync(process.execPath, parameters).toString()) as RulesFigures;
}

export interface RulesOptions {
  readonly quick: boolean;
}

function nameOf(rules: number): string {
  return `${rules} rule${rules === 1 ? "" : "s"} on one stream`;
}

/** As for weir, records a second are of its processor time. */
async function reportKuiper(rules: number, report: Report): Promise<void> {
  const why = ekuiper.missing();
  if (why !== null) return report.note(`  eKuiper: missing (${why})`);
  const figures = await kuiperRules(rules);
  if (typeof figures === "string") return report.note(`  eKuiper: ${figures}`);
  const { records, cpu_s_per_m_records } = figures;
  const result = { suite: "rules", workload: nameOf(rules), engine: ekuiper.name, threads: ekuiper.threads };
  report.result({ ...result, records, records_per_s: 1e6 / cpu_s_per_m_records, cpu_s_per_m_records });
}

export async function benchRules({ quick }: RulesOptions, report: Report): Promise<boolean> {
  report.note("rules `SELECT temperature WHERE temperature > 20` on one stream, of which a tenth passes");
  const known = new Map<number, RulesFigures>();
  for (const rules of counts) {
    const records = Math.ceil((quick ? 16_384 : 131_072) / Math.max(1, rules / 1_000));
    const figures = figuresOf(rules, records);
    known.set(rules, figures);
    report.result({
      suite: "rules",
      workload: nameOf(rules),
      engine: "weir",
      threads: 1,
      records,
      records_per_s: 1e9 / figures.ns_per_record,
    });
    const kilobytes = (figures.bytes_per_rule / 1000).toFixed(1);
    const each = (figures.ns_per_record / rules).toFixed(2);
    report.note(
      `    ${figures.ns_per_record.toFixed(0)} ns a record, ${each} ns a rule; ${kilobytes} KB a rule; started in ${figures.start_ms.toFixed(0)} ms`,
    );
    if (kuiperCounts.has(rules)) await reportKuiper(rules, report);
  }
  const ratio = known.get(300)!.ns_per_record / known.get(1)!.ns_per_record;
  report.verdict(atMost("cost of a record, 300 rules against one", ratio, costWanted));
  const bytes = known.get(8_000)!.bytes_per_rule / bytesWanted;
  report.verdict(atMost(`bytes a rule, 8000 rules, against ${bytesWanted}`, bytes, 1));
  return true;
}
