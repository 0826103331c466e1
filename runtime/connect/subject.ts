// Which subjects may be published to and subscribed to. A subject made from a payload must never reach
// the server's own space, another protocol line, or a wildcard. Pure.

import { limits } from "../limits.ts";

function tokensFault(subject: string): string | null {
  if (subject === "") return "it is empty";
  if (subject.length > limits.subject_length_max)
    return `it is longer than ${limits.subject_length_max} characters`;
  // Anything that is not printable would end the protocol line or hide in a log.
  if (/[\s\p{C}]/u.test(subject)) return "it holds white space or a control character";
  const tokens = subject.split(".");
  if (tokens.length > limits.subject_tokens_max)
    return `it has more than ${limits.subject_tokens_max} tokens`;
  if (tokens.includes("")) return "it has an empty token";
  return subject.startsWith("$") ? "subjects that start with $ belong to the server" : null;
}

/** Why a subject cannot be published to; null when it can. */
export function publishSubjectFault(subject: string): string | null {
  // An answer that somebody waits for, to whom a row would be one.
  if (subject.startsWith("_INBOX.")) return "subjects that start with _INBOX are for answers";
  return tokensFault(subject) ?? (/[*>]/.test(subject) ? "it holds a wildcard" : null);
}

/** A subject that is refused, for a message: it may be a record's own text, of any length. */
export function shownSubject(subject: string): string {
  const most = limits.subject_length_max;
  return JSON.stringify(subject.length > most ? `${subject.slice(0, most)}…` : subject);
}

/** Why a subject cannot be subscribed to; null when it can. Wildcards stand for whole tokens, `>` at the end only. */
export function subscribeSubjectFault(subject: string): string | null {
  const fault = tokensFault(subject);
  if (fault !== null) return fault;
  const tokens = subject.split(".");
  for (const [place, token] of tokens.entries()) {
    if (token === ">" && place < tokens.length - 1) return "> may only be the last token";
    if (token.length > 1 && /[*>]/.test(token))
      return `the wildcard in ${JSON.stringify(token)} must stand alone`;
  }
  return null;
}

/** True when every subject of `inner` is one of `outer`. */
export function includes(outer: string, inner: string): boolean {
  const wanted = outer.split(".");
  const tokens = inner.split(".");
  for (const [place, token] of wanted.entries()) {
    if (token === ">") return tokens.length > place;
    const found = tokens[place];
    if (found === undefined || found === ">" || (token !== "*" && token !== found)) return false;
  }
  return wanted.length === tokens.length;
}
