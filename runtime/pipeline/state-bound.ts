// The most memory that the state of a plan may take, told from what its operators declare: keys, windows,
// records and the bytes of each. An estimate of the worst case, and what has no bound. Pure.

import type {
  Aggregate,
  ColumnReference,
  ColumnType,
  Extent,
  TableDeclaration,
  TableDeclarations,
} from "../../operators/sdk/index.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import { lanesOf } from "./per-key.ts";
import type { PipelinePlan, StepPlan } from "./pipeline.ts";

/** One product of the estimate. */
export interface StateTerm {
  /** `100000 keys × 2 windows × 56 B`. */
  readonly text: string;
  readonly bytes: number;
  /** True when it grows with the keys. */
  readonly byKey: boolean;
}

export interface StepState {
  readonly step: StepPlan;
  readonly bytes: number;
  readonly terms: readonly StateTerm[];
  /** True when the operator does not tell how many windows or parts a key has: they are not counted. */
  readonly untold: boolean;
}

/** Why there is no bound, and the cure. */
export interface StateFault {
  readonly step: StepPlan;
  readonly message: string;
  readonly hint: string;
}

export interface StateBound {
  /** The steps that keep something. */
  readonly steps: readonly StepState[];
  readonly bytes: number;
  readonly faults: readonly StateFault[];
}

/** What the bound of a step depends on beside the step. */
export interface Surroundings {
  readonly lateness: number;
  readonly rate: number | null;
  /** True when the file says how many keys there are at most, for all steps. */
  readonly isMaxDeclared: boolean;
  /** Where keys have watermarks of their own: the column that names them, and how many there may be. */
  readonly per: { readonly name: string; readonly lanes: number } | null;
}

/** Something that has no bound, as text and cure. */
class Unbounded extends Error {
  readonly cure: string;
  constructor(message: string, cure: string) {
    super(message);
    this.cure = cure;
  }
}

export function surroundingsOf({ spec, per }: PipelinePlan): Surroundings {
  return {
    // Of several sources the one that lags holds time back for all; how long it may is not known.
    lateness: Math.max(...spec.inputs.map(({ time }) => time?.lateness ?? 0)),
    rate: spec.limits.rate,
    isMaxDeclared: spec.limits.keys.max !== undefined,
    per: per === null ? null : { name: per.entry.name, lanes: lanesOf(spec) },
  };
}

export function stateBound(plan: PipelinePlan): StateBound {
  const { steps, branches } = plan;
  const around = surroundingsOf(plan);
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  const bounded: StepState[] = [];
  const faults: StateFault[] = [];
  for (const step of all.filter(({ definition }) => definition.kind === "keyed")) {
    try {
      const state = boundOf(step, around);
      if (state.bytes > 0 || state.untold) bounded.push(state);
    } catch (thrown) {
      const [message, hint] =
        thrown instanceof Unbounded
          ? [thrown.message, thrown.cure]
          : [`its state cannot be told: ${messageOf(thrown)}`, "this is a fault of the operator"];
      faults.push({ step, message, hint });
    }
  }
  return { steps: bounded, bytes: sum(bounded.map(({ bytes }) => bytes)), faults };
}

function boundOf(step: StepPlan, around: Surroundings): StepState {
  const declarations: TableDeclarations = step.definition.state(step.config);
  const terms = Object.values(declarations).flatMap((declaration) => termsOf(declaration, step, around));
  // Each of them has tables of its own.
  if (around.per !== null && terms.length > 0)
    terms.push(term([[around.per.lanes, "clock"]], limits.state_lane_bytes, true));
  const untold = Object.values(declarations).some(
    (each) => (each.kind === "panes" || each.kind === "parts") && each.extent === undefined,
  );
  return { step, bytes: sum(terms.map(({ bytes }) => bytes)), terms, untold };
}

function termsOf(table: TableDeclaration, step: StepPlan, around: Surroundings): readonly StateTerm[] {
  if (table.kind === "values") return [];
  const { by, extent = {} } = table;
  const columns = extent.keysOf ?? by;
  const keys = keysOf(columns, step, around);
  const numbers = table.kind === "keyed" ? table.initial.length * 8 : 0;
  // Keys of another table are counted there.
  const words = by.length === 0 ? 0 : limits.state_key_bytes + bytesOf(by.map(({ type }) => type));
  const byKey = columns.length > 0;
  const [noun, bytes] = slotOf(table, step);
  const perKey = bounded(extent.perKey?.(around.lateness) ?? 0);
  // A table of parts takes no more records when there are so many.
  const most = table.kind === "parts" ? limits.window_parts_max : Number.POSITIVE_INFINITY;
  const records = recordsWithin(extent, around, most);
  const isFull = keys * perKey > most;
  const slots: readonly Factor[] = [
    [keys, "key"],
    [perKey, noun],
  ];
  return [
    term([[keys, "key"]], words + numbers, byKey),
    isFull ? term([[most, noun]], bytes, false) : term(slots, bytes, byKey),
    term([[records, "record"]], bytes, false),
  ].filter((each) => each.bytes > 0);
}

type Factor = readonly [count: number, noun: string];

function term(factors: readonly Factor[], bytes: number, byKey: boolean): StateTerm {
  const counted = factors.map(([count, noun]) => `${count} ${noun}${count === 1 ? "" : "s"}`);
  const total = factors.reduce((product, [count]) => product * count, bytes);
  return { text: [...counted, `${bytes} B`].join(" × "), bytes: total, byKey };
}

/** How many different keys there may be. */
export function keysOf(
  columns: readonly ColumnReference[],
  step: StepPlan,
  { isMaxDeclared, per }: Surroundings,
): number {
  if (columns.length === 0) return 1;
  const { max: own } = step.keys;
  // A step that is there once for each clock may know so many keys each time.
  const isSingle = per !== null && columns.every(({ name }) => name === per.name);
  const max = per === null ? own : isSingle ? Math.min(own, per.lanes) : own * per.lanes;
  // True, false and null.
  if (columns.every(({ type }) => type === "bool")) return Math.min(max, 3 ** columns.length);
  const measured = columns.find(({ type }) => type === "float64" || type === "time");
  if (measured !== undefined && !isMaxDeclared && step.spec.keys.max === undefined) {
    const what = measured.type === "time" ? "a time" : "a number";
    throw new Unbounded(
      `${measured.name} is ${what} and may take any value, so that the keys have no bound`,
      `write how many there are at most, beside ${step.definition.name}: keys: { max: 1000 }`,
    );
  }
  return max;
}

/** How many records there are of which each is kept for some time. */
function recordsWithin(extent: Extent, { lateness, rate }: Surroundings, most: number): number {
  const within = bounded(extent.within?.(lateness) ?? 0);
  if (within === 0) return 0;
  if (rate !== null) return Math.min(most, Math.ceil((rate * within) / 1000));
  throw new Unbounded(
    `each record is kept for ${within / 1000} s, and how many come in that time has no bound`,
    "write how many are expected at most, at the top of the file: limits: { rate: 500/s }",
  );
}

function bounded(count: number): number {
  if (Number.isFinite(count)) return count;
  throw new Unbounded("what it keeps for a key has no bound", "give the step a setting that ends it");
}

/** What a slot of the table is called, and its bytes. */
function slotOf(table: Exclude<TableDeclaration, { kind: "values" }>, { input }: StepPlan): [string, number] {
  if (table.kind === "keyed")
    return ["record", limits.state_record_bytes + bytesOf(input.fields.map(({ type }) => type))];
  const own = table.initial.length * 8;
  const held = sum(table.aggregates.map(aggregateBytes));
  return [table.kind === "panes" ? "window" : "part", limits.state_slot_bytes + own + held];
}

function aggregateBytes({ initial, bytes = 0 }: Aggregate): number {
  return initial.length * 8 + bytes;
}

function bytesOf(types: readonly ColumnType[]): number {
  return sum(types.map((type) => (type === "string" || type === "json" ? limits.state_text_bytes : 8)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** A step's products and their sum: `100000 keys × 112 B + 100000 keys × 2 windows × 56 B = 21.4 MiB`. */
export function arithmeticOf({ terms, bytes, untold }: StepState): string {
  const whole = `${terms.map(({ text }) => text).join(" + ")} = ${sizeText(bytes)}`;
  return untold ? `${whole}, and windows that the operator does not tell` : whole;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A number of bytes in the largest unit of which there is one. */
export function sizeText(bytes: number): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(bytes) / 10)));
  const count = bytes / 1024 ** power;
  return `${count >= 100 ? Math.round(count) : Math.round(count * 10) / 10} ${units[power]}`;
}

/**
 * Where a plan may take too much because the file does not say how many keys there are: how many fit. Null
 * where it takes no more than it may, where other things decide, or where hardly any would fit.
 */
export function fittingKeys(plan: PipelinePlan): number | null {
  const { steps, bytes, faults } = stateBound(plan);
  const { memory, keys } = plan.spec.limits;
  if (faults.length > 0 || bytes <= memory || keys.max !== undefined || plan.per !== null) return null;
  const fitting = fittingInAll(plan, steps, limits.keys_default);
  return fitting >= limits.keys_fitting_min ? fitting : null;
}

/** How many keys fit where every step that declares none may have so many; `present` is how many it may have now. */
function fittingInAll({ spec }: PipelinePlan, steps: readonly StepState[], present: number): number {
  const byKey = bytesByKey(steps.filter(({ step }) => step.spec.keys.max === undefined));
  const free = spec.limits.memory - sum(steps.map(({ bytes }) => bytes)) + byKey;
  return byKey > 0 ? Math.floor((present * free) / byKey) : 0;
}

function bytesByKey(steps: readonly StepState[]): number {
  return sum(steps.flatMap(({ terms }) => terms.filter((each) => each.byKey).map((each) => each.bytes)));
}

/** What is wrong with what a plan may take: all that has no bound, or else that it is too much, with the step that takes most. */
export function stateFaults(plan: PipelinePlan): readonly StateFault[] {
  const { steps, bytes, faults } = stateBound(plan);
  const { memory } = plan.spec.limits;
  if (faults.length > 0 || bytes <= memory) return faults;
  const most = steps.reduce((one, other) => (other.bytes > one.bytes ? other : one));
  const rest = bytes - most.bytes;
  const others = rest === 0 ? "" : `, and the other steps take ${sizeText(rest)}`;
  const message = `its state may take ${arithmeticOf(most)}${others}; the most is ${sizeText(memory)}`;
  const raise = `raise limits.memory to ${Math.ceil(bytes / 1024 ** 2)}MiB`;
  return [{ step: most.step, message, hint: `${fewerKeys(plan, steps, most) ?? keepLess}, or ${raise}` }];
}

const keepLess = "let it keep less: shorter or fewer windows, a lower limits.rate, other aggregates";

/** How many keys there is room for at the step that takes most, or else at all; null where keys do not decide. */
function fewerKeys(plan: PipelinePlan, steps: readonly StepState[], most: StepState): string | null {
  const { spec, per } = plan;
  const byKey = bytesByKey([most]);
  const left = spec.limits.memory - sum(steps.map(({ bytes }) => bytes)) + byKey;
  const fitting = Math.floor((most.step.keys.max * left) / byKey);
  if (byKey > 0 && fitting > 0)
    return `lower ${per === null ? `keys.max to ${fitting} beside ${most.step.definition.name}` : "limits.keys.max"}`;
  const inAll = fittingInAll(plan, steps, spec.limits.keys.max ?? limits.keys_default);
  if (per !== null || inAll <= 0) return null;
  return `write how many keys there are at most, at the top of the file: limits: { keys: { max: ${inAll} } }`;
}
