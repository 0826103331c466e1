// What the aggregates of one `select` can share, so that it is kept and added to once: inputs that are
// the same expression, and states that are the same numbers (`sum` and `mean` of one input, say, or its
// quantiles). Decides only; holds no record.

import type { Aggregate, AggregateCall, AggregateState, Expression } from "weir/sdk";

/** One state: where it stands in the pane table, and how rows are added to it. */
interface SharedState {
  readonly place: number;
  readonly aggregate: Aggregate;
}

/** An input that is evaluated once a batch, and the states that it is added to. */
export interface SharedInput {
  readonly input: Expression | null;
  readonly states: readonly SharedState[];
}

export interface SharedStates {
  /** The aggregates whose states are kept, for the declaration of the pane table. */
  readonly kept: readonly Aggregate[];
  /** By call, the place of its state among those. */
  readonly places: readonly number[];
  readonly inputs: readonly SharedInput[];
}

/** Two aggregates keep the same state when the same functions fill it. */
function sameState(a: Aggregate, b: Aggregate): boolean {
  return a.add === b.add && a.merge === b.merge && a.initial === b.initial;
}

/** Merges what slot `from` of one table holds of each kept aggregate into slot `into` of another. */
export function mergeStates(
  kept: readonly Aggregate[],
  target: { readonly states: readonly AggregateState[] },
  into: number,
  source: { readonly states: readonly AggregateState[] },
  from: number,
): void {
  for (let place = 0; place < kept.length; place++)
    kept[place]!.merge(target.states[place]!, into, source.states[place]!, from);
}

/** The same for many: slots `from[i]` into slots `into[i]`, for i below `count`; one aggregate after the other, so that each is called in a row. */
export function mergeAllStates(
  kept: readonly Aggregate[],
  target: { readonly states: readonly AggregateState[] },
  into: Uint32Array,
  source: { readonly states: readonly AggregateState[] },
  from: Uint32Array,
  count: number,
): void {
  for (let place = 0; place < kept.length; place++) {
    const aggregate = kept[place]!;
    const [states, others] = [target.states[place]!, source.states[place]!];
    for (let i = 0; i < count; i++) aggregate.merge(states, into[i]!, others, from[i]!);
  }
}

export function shareStates(calls: readonly AggregateCall[]): SharedStates {
  const kept: Aggregate[] = [];
  const inputs: { readonly input: Expression | null; readonly states: SharedState[] }[] = [];
  const places = calls.map(({ input, aggregate }) => {
    let shared = inputs.find((each) => each.input?.text === input?.text);
    if (shared === undefined) inputs.push((shared = { input, states: [] }));
    const same = shared.states.find((each) => sameState(each.aggregate, aggregate));
    if (same !== undefined) return same.place;
    const place = kept.push(aggregate) - 1;
    shared.states.push({ place, aggregate });
    return place;
  });
  return { kept, places, inputs };
}
