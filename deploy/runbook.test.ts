// The runbook beside this file: what it has somebody type is what there is. Commands of weir parse, scripts of npm exist, and
// files that are named are there, or were made by a command before.

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { program } from "../runtime/cli/program.ts";
import { blocksOf, commandsOf, spansOf, type TypedCommand } from "./runbook.fixture.ts";

const root = join(import.meta.dirname, "..");
const text = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
const blocks = blocksOf(text, "sh").flatMap(commandsOf);
const spans = spansOf(text)
  .filter((span) => /^(\w+=\S+ |sudo )*(weir|npm|node|podman|docker|kubectl) /.test(span))
  .flatMap(commandsOf);
const all = [...blocks, ...spans];

/** What weir is told by a command, however it is started; null where it is not. */
function weirOf({ words }: TypedCommand): readonly string[] | null {
  const isScript = words.slice(0, 3).join(" ") === "npm run weir";
  const isImage = ["podman run", "docker run"].includes(words.slice(0, 2).join(" "));
  const starts = isImage ? /^localhost\/weir$/ : /^\/(weir|opt\/weir)\/weir\.js$/;
  const place = isScript ? 2 : words[0] === "weir" ? 0 : words.findIndex((word) => starts.test(word));
  const rest = place < 0 ? [] : words.slice(place + 1).filter((word) => word !== "--");
  return rest.length === 0 ? null : rest;
}

function commandNamed(words: readonly string[]): {
  readonly command: Command;
  readonly rest: readonly string[];
} {
  let command: Command = program;
  let rest = words;
  for (;;) {
    const below = command.commands.find((each) => each.name() === rest[0]);
    if (below === undefined) return { command, rest };
    command = below;
    rest = rest.slice(1);
  }
}

/** What weir would say to it; null where it would begin. Of what a sentence mentions, arguments may be left out. */
function faultOf(words: readonly string[], isMentioned = false): string | null {
  const { command, rest } = commandNamed(words);
  if (command === program) return rest.join() === "--version" ? null : `no command ${words[0]}`;
  const { operands, unknown } = command.parseOptions([...rest]);
  if (unknown.length > 0) return `${command.name()} has no ${unknown.join(" ")}`;
  if (isMentioned) return null;
  const missing = command.options.filter(({ mandatory, long }) => mandatory && !rest.includes(long ?? ""));
  if (missing.length > 0) return `${command.name()} wants ${missing.map(({ long }) => long).join()}`;
  const wanted = command.registeredArguments.filter(({ required }) => required).length;
  const most = command.registeredArguments.some(({ variadic }) => variadic)
    ? Number.POSITIVE_INFINITY
    : command.registeredArguments.length;
  return operands.length < wanted || operands.length > most
    ? `${command.name()} takes other arguments`
    : null;
}

describe("the check itself", () => {
  it.each<readonly [string, readonly (readonly string[])[]]>([
    ["a b 'c d' \"e f\"g # h\n", [["a", "b", "c d", "e fg"]]],
    ["a \\\n  b && c; d | e", [["a", "b"], ["c"], ["d"], ["e"]]],
    ["(umask 077; sudo X=1 a --b=c > d) || e", [["umask", "077"], ["a", "--b=c"], ["e"]]],
    ["sudo sh -c 'a; b c'", [["a"], ["b", "c"]]],
  ])("reads %j as a shell does", (script, expected) => {
    expect(commandsOf(script).map(({ words }) => words)).toEqual(expected);
  });

  it.each([
    ["weir run a.yaml --sate s", "run has no --sate s"],
    ["weir rnu a.yaml", "no command rnu"],
    ["weir run", "run takes other arguments"],
    ["weir supervise pipelines", "supervise wants --state"],
    ["podman exec weir /usr/bin/node /weir/weir.js why a b", "why takes other arguments"],
    ["weir run a.yaml --state s", null],
  ])("tells of %s: %s", (line, fault) => {
    expect(faultOf(weirOf(commandsOf(line)[0]!) ?? [])).toBe(fault);
  });
});

it("every command of weir is one that it takes", () => {
  const told = all.filter((command) => weirOf(command) !== null);
  const faults = told.flatMap((command) => {
    const fault = faultOf(weirOf(command) ?? [], spans.includes(command));
    return fault === null ? [] : [`${command.words.join(" ")}: ${fault}`];
  });
  expect(faults).toEqual([]);
  expect(told.length).toBeGreaterThan(20);
});

it("a service runs without a supervisor as the text says, and so does each unit as it is", () => {
  const execOf = (path: string): string =>
    /^Exec(?:Start)?=(.*)$/m.exec(readFileSync(join(import.meta.dirname, path), "utf8"))?.[1] ?? "";
  const service = execOf("systemd/weir.service");
  const alone = service.replace(" supervise ", " run ").replace(/ --memory \d+/, "");
  const started = [service, alone, `weir ${execOf("quadlet/weir.container")}`];
  for (const line of started)
    expect([line, faultOf(weirOf(commandsOf(line)[0]!) ?? [])]).toEqual([line, null]);
});

it("every script of npm is there", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
  const named = all.flatMap(({ words: [npm, run, script = ""] }) => {
    if (npm !== "npm") return [];
    return run === "run" ? [script] : [run];
  });
  expect(named.length).toBeGreaterThan(5);
  // npm's own, beside the scripts.
  expect(named.filter((name) => name !== "link" && !Object.hasOwn(scripts, name ?? ""))).toEqual([]);
});

it("every file of this repository that is named is there, or was made before", () => {
  const made: string[] = [];
  const missing: string[] = [];
  let found = 0;
  const isOurs = (word: string): boolean =>
    /^(deploy|pipelines|runtime|operators|bench)(\/|$)|^[\w-]+\.(yaml|ndjson|csv)$/.test(word);
  for (const { words, written } of [...all, ...spansOf(text).map(typedAs)]) {
    // Who asks whether a file is there may be told no.
    for (const word of words[0] === "[" ? [] : words.filter(isOurs)) {
      if (made.includes(word) || globSync(word, { cwd: root }).length > 0) found++;
      else missing.push(word);
    }
    made.push(...written);
  }
  expect(missing).toEqual([]);
  expect(found).toBeGreaterThan(30);
});

/** A span that is a path, as if it were an argument; names alone are of files in this folder. */
function typedAs(span: string): TypedCommand {
  const path = /^(edge|hub)[\w-]*\.conf$/.test(span) ? `deploy/nats/${span}` : span;
  const own = /^[\w-]+\.(ts|mjs)$/.test(path) ? `deploy/${path}` : path;
  return { words: /\s|^[\w-]+\.yaml$/.test(own) ? [] : [own], written: [] };
}
