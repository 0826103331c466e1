// NATS subjects as pipelines write them: wildcards and named tokens of a source, column templates of a
// sink. Decides what is a subject and what it means; never talks to a server.

import { limits } from "../limits.ts";

export interface SubjectFault {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint: string;
}

/** A column in a template, with its place in the template's text. */
export interface TemplateColumn {
  readonly column: string;
  readonly start: number;
  readonly end: number;
}

/** `source` may hold wildcards and named tokens, `sink` column templates, `fixed` neither. */
export type SubjectRole = "source" | "sink" | "fixed";

const columnName = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const tokenName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The first thing wrong with a subject, or null. */
export function subjectFault(subject: string, role: SubjectRole): SubjectFault | null {
  const all = { start: 0, end: subject.length };
  if (subject.length > limits.subject_length_max) {
    return {
      ...all,
      message: `the subject is ${subject.length} characters long, more than ${limits.subject_length_max}`,
      hint: "shorten it",
    };
  }
  const tokens = tokensOf(subject, role);
  if (tokens.length > limits.subject_tokens_max) {
    return {
      ...all,
      message: `the subject has ${tokens.length} tokens, more than ${limits.subject_tokens_max}`,
      hint: "use fewer levels",
    };
  }
  if (/^(\$|_INBOX\b)/.test(subject)) {
    const hint = "subjects that begin with $ or _INBOX belong to the server";
    return { start: 0, end: tokens[0]?.length ?? 1, message: `${tokens[0]} is reserved`, hint };
  }
  if (role === "source" && tokens.at(-1) === ">" && tokens.slice(0, -1).every((token) => token === "*")) {
    const hint = "name the first token: this would read every subject there is, weir's own output among them";
    return { ...all, message: `${subject} reads everything`, hint };
  }
  if (/(^|\/)[+#](\/|$)/.test(subject)) {
    return {
      ...all,
      message: `${subject} is an MQTT topic`,
      hint: `as a subject it is ${subjectOfTopic(subject)}`,
    };
  }
  let start = 0;
  for (const [place, token] of tokens.entries()) {
    const fault = tokenFault(token, place === tokens.length - 1, role);
    if (fault !== null)
      return { start, end: start + Math.max(1, token.length), message: fault[0], hint: fault[1] };
    start += token.length + 1;
  }
  return role === "source" ? twice(subject) : null;
}

/** How nats-server's MQTT side writes a level that is empty, and, from version 2.10 on, a dot in one. */
const emptyLevel = "/";
const dotInLevel = "//";

/** The subject that nats-server's MQTT side gives a topic, with its wildcards. */
export function subjectOfTopic(topic: string): string {
  const levels = topic.split("/").map((level) => {
    if (level === "") return emptyLevel;
    return level === "+" ? "*" : level === "#" ? ">" : level.replaceAll(".", dotInLevel);
  });
  return levels.join(".");
}

/** Whether a subject has slashes that no topic's subject has: then it is probably a topic itself. */
export function looksLikeTopic(subject: string): boolean {
  return subject
    .split(".")
    .some((token) => token !== emptyLevel && token.replaceAll(dotInLevel, "").includes("/"));
}

/** The named token that a nats-server's mapping fills with the number of a partition. */
export const partitionToken = "partition";

/** What to subscribe to: named tokens become `*`, that of the partition its number where one is meant. */
export function subscriptionOf(subject: string, partition: number | null = null): string {
  const one = partition === null ? subject : subject.replace(`{${partitionToken}}`, String(partition));
  return one.replace(/\{[^}.]*\}/g, "*");
}

/** What a stream takes in that gets the rows of a template: every column becomes `*`, whatever its name. */
export function streamSubjectOf(template: string): string {
  return template.replaceAll(/\{[^}]*\}/g, "*");
}

/** The named tokens of a source's subject; tokens count from 0. */
export function namedTokens(subject: string): readonly { readonly name: string; readonly token: number }[] {
  return subject.split(".").flatMap((token, place) => {
    const name = /^\{([^}]*)\}$/.exec(token)?.[1];
    return name === undefined ? [] : [{ name, token: place }];
  });
}

/** A template taken apart: literal text and the columns between, in order; nothing empty. */
export function templateParts(subject: string): readonly (string | TemplateColumn)[] {
  const parts: (string | TemplateColumn)[] = [];
  let from = 0;
  for (const match of subject.matchAll(/\{([^{}]*)\}/g)) {
    if (match.index > from) parts.push(subject.slice(from, match.index));
    from = match.index + match[0].length;
    parts.push({ column: match[1]!, start: match.index, end: from });
  }
  if (from < subject.length) parts.push(subject.slice(from));
  return parts;
}

/** True when some subject that the template can become is one that the subscription receives. */
export function overlaps(template: string, subscription: string): boolean {
  const sent = tokensOf(template, "sink").map((token) => (token.includes("{") ? "*" : token));
  const read = subscriptionOf(subscription).split(".");
  for (const [place, token] of read.entries()) {
    if (token === ">") return sent.length > place;
    const other = sent[place];
    if (other === undefined || (token !== "*" && other !== "*" && token !== other)) return false;
  }
  return sent.length === read.length;
}

/** The tokens; a dot inside `{…}` is part of the column's name. */
function tokensOf(subject: string, role: SubjectRole): readonly string[] {
  return role === "sink" ? subject.split(/\.(?![^{}]*\})/) : subject.split(".");
}

function tokenFault(
  token: string,
  isLast: boolean,
  role: SubjectRole,
): [message: string, hint: string] | null {
  if (token === "") return ["an empty token", "a subject has text on both sides of each dot"];
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\s\u0000-\u001f]/.test(token)) return ["a subject holds no spaces", "remove them, or use - or _"];
  if (token.includes("{") || token.includes("}")) return braceFault(token, role);
  if (role === "source" && (token === "+" || token === "#"))
    return [`${token} is a wildcard of MQTT, and of a subject a token`, `write ${token === "+" ? "*" : ">"}`];
  if (token === ">" && !isLast) return ["> stands only at the end of a subject", "use * for one token"];
  if (!/[*>]/.test(token)) return null;
  if (role !== "source")
    return [
      "a subject that is sent to holds no wildcard",
      "write the token out, or take it from a column: {device}",
    ];
  return token.length === 1 ? null : [`${token} is not a wildcard`, "* and > stand alone between dots"];
}

function braceFault(token: string, role: SubjectRole): [message: string, hint: string] | null {
  if (role === "fixed") return ["this subject cannot depend on a column", "write the token out"];
  if (role === "source") {
    const name = /^\{([^{}]*)\}$/.exec(token)?.[1];
    if (name !== undefined && tokenName.test(name)) return null;
    return [
      `${token} is not a named token`,
      "write {name} alone between dots; a name is letters, digits and _",
    ];
  }
  const rest = token.replace(/\{([^{}]*)\}/g, (whole, name: string) => (columnName.test(name) ? "" : whole));
  return /[{}]/.test(rest)
    ? [`${token} is not a template`, "write {column}; a column is letters, digits, _ and dots"]
    : null;
}

function twice(subject: string): SubjectFault | null {
  const seen = new Set<string>();
  for (const { name } of namedTokens(subject)) {
    const end = subject.lastIndexOf(`{${name}}`) + name.length + 2;
    if (seen.has(name)) {
      return {
        start: end - name.length - 2,
        end,
        message: `two tokens are called ${name}`,
        hint: "a name stands for one token",
      };
    }
    seen.add(name);
  }
  return null;
}

/** A subject that a source's pattern takes: an `x` in place of each wildcard and each named token. */
export function exampleSubject(pattern: string): string {
  return pattern.replaceAll(/\{[^}]*\}|\*|>/g, "x");
}
