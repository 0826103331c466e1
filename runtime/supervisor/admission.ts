// Which of the pipelines that are asked for may run on a host that trusts keys, and why the others may not. What was accepted
// before runs on in the place of what is refused, as long as its own signature holds. Pure.

import { instanceOf } from "../instance.ts";
import {
  type Accepted,
  accepting,
  type Circumstances,
  isAccepted,
  nothingAccepted,
  signatureMark,
  verify,
  verifyAgain,
} from "./signature.ts";
import type { WantedPipeline } from "./wanted.ts";

/** What somebody asks to run. */
export interface Asked {
  readonly pipelines: readonly WantedPipeline[];
  /** By name, what cannot even be read, and why. */
  readonly unreadable: readonly { readonly name: string; readonly reason: string }[];
}

/** By pipeline, the newest that was accepted. */
export type Newest = ReadonlyMap<string, Accepted>;

export interface Refusal {
  readonly name: string;
  /** Null of what cannot be read. */
  readonly revision: string | null;
  readonly file: string | null;
  readonly reason: string;
}

export interface Admission {
  readonly wanted: readonly WantedPipeline[];
  readonly refused: readonly Refusal[];
  /** The same as before where nothing newer was accepted. */
  readonly newest: Newest;
}

/** `running`: what was accepted before; `isVerified`: by these keys, so that it is not verified again. */
export function admit(
  { pipelines, unreadable }: Asked,
  running: readonly WantedPipeline[],
  before: Newest,
  circumstances: Omit<Circumstances, "accepted">,
  isVerified = false,
): Admission {
  const wanted = new Map<string, WantedPipeline>();
  const refused: Refusal[] = [];
  const accepted = new Map(running.map((each) => [each.name, each]));
  const newest = new Map(before);
  let isNewer = false;
  const refuse = (refusal: Refusal): void => {
    refused.push(refusal);
    const earlier = accepted.get(refusal.name);
    if (earlier === undefined || wanted.has(earlier.name)) return;
    if (isVerified || verifyAgain(earlier, circumstances).refusal === null) wanted.set(earlier.name, earlier);
  };
  for (const each of pipelines) {
    const { name, revision, file } = each;
    if (isVerified && isSame(each, accepted.get(name))) {
      wanted.set(name, each);
      continue;
    }
    const { pipeline } = instanceOf(name);
    const known = newest.get(pipeline) ?? nothingAccepted;
    const { signature, refusal } = verify(each, { ...circumstances, accepted: known });
    if (signature === null) refuse({ name, revision, file, reason: refusal });
    else {
      wanted.set(name, each);
      if (isAccepted(signature, known)) continue;
      newest.set(pipeline, accepting(signature, known));
      isNewer = true;
    }
  }
  for (const { name, reason } of unreadable) refuse({ name, revision: null, file: null, reason });
  return { wanted: [...wanted.values()], refused, newest: isNewer ? newest : before };
}

/** Where no keys are trusted: all that can be read, and in the place of what cannot, what ran before. */
export function admitAll(
  { pipelines, unreadable }: Asked,
  running: readonly WantedPipeline[],
): Omit<Admission, "newest"> {
  const isNamed = (all: readonly { readonly name: string }[], name: string): boolean =>
    all.some((each) => each.name === name);
  const kept = running.filter(({ name }) => isNamed(unreadable, name) && !isNamed(pipelines, name));
  const refused = unreadable.map(({ name, reason }) => ({ name, revision: null, file: null, reason }));
  return { wanted: [...pipelines, ...kept], refused };
}

/** By the text itself: a revision is a short name for it. */
function isSame({ text, signature }: WantedPipeline, other: WantedPipeline | undefined): boolean {
  return other?.text === text && signatureMark(other.signature) === signatureMark(signature);
}
