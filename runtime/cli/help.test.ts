// What weir --help shows, and that every example of it is one that its command would take.

import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { completionText } from "./completion.ts";
import { examplesOf, withHelpOfKnown } from "./help.ts";
import { program } from "./program.ts";

function withAllBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withAllBelow)];
}
const commands = program.commands.flatMap(withAllBelow);
const run = commands.filter(({ commands: below }) => below.length === 0);

describe("examples", () => {
  it.each(run.map((command) => [command.name(), command] as const))("of %s", (_name, command) => {
    const examples = examplesOf(command);
    expect(examples.length).toBeGreaterThan(0);
    const known = command.options.map(({ long }) => long);
    for (const example of examples) {
      const typed = example.replace(/ {4}#.*$/, "").replace(/^source <\((.*)\)$/, "$1");
      expect(example.length).toBeLessThanOrEqual(100);
      for (const [option] of typed.matchAll(/--[a-z-]+/g)) expect(known).toContain(option);
    }
  });
});

it("fits 80 columns, and every command stands in a group of its own", () => {
  const lines = program.helpInformation().split("\n");
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.filter((line) => line === "Commands:")).toEqual([]);
  for (const { name } of program.commands.map((each) => ({ name: each.name() })))
    expect(lines.some((line) => line.startsWith(`  ${name} `) || line === `  ${name}`)).toBe(true);
});

it.each([
  // A command that there is not is told, and no help is shown that would look like its own.
  ["lnit --help", "lnit"],
  ["help lnit", "lnit"],
  ["lnit -h boiler.yaml", "lnit boiler.yaml"],
  ["outbox lss --help", "outbox lss"],
  ["outbox help lss", "outbox lss"],
  ["help outbox ls", "outbox ls --help"],
  ["help lint", "lint --help"],
  ["help", "help"],
  ["outbox help", "outbox help"],
  ["--help", "--help"],
  ["lint help --help", "lint help --help"],
])("%s is taken as %s", (typed, taken) => {
  expect(withHelpOfKnown(program, typed.split(" ")).join(" ")).toBe(taken);
});

it("of supervise says which signal ends the workers as well", () => {
  let text = "";
  const command = program.commands.find((each) => each.name() === "supervise")!;
  command.configureOutput({ writeOut: (part) => void (text += part) }).outputHelp();
  expect(text).toMatch(/^Ctrl-C \(SIGINT\) drains all workers.*\n.*workers run on/m);
});

it("can be started by its own file", () => {
  expect(statSync(join(import.meta.dirname, "weir.mjs")).mode & 0o111).toBe(0o111);
});

describe("completion", () => {
  /** What bash offers behind these words. */
  function offered(...words: readonly string[]): string[] {
    const array = words.map((word) => `"${word}"`).join(" ");
    const ask = `COMP_WORDS=(weir ${array}); COMP_CWORD=${words.length}; _weir; printf "%s\\n" "\${COMPREPLY[@]}"`;
    const script = `${completionText(program, "bash")}\n${ask}`;
    return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split("\n");
  }

  it("of bash knows commands, their options and what follows them", () => {
    expect(offered("li")).toEqual(["lint"]);
    expect(offered("run", "--st")).toEqual(["--state"]);
    expect(offered("outbox", "pe")).toEqual(["peek"]);
    expect(offered("completion", "")).toEqual(expect.arrayContaining(["bash", "zsh", "fish"]));
  });

  it.each([
    ["the choices of an option", ["run", "--log", ""], ["text", "json"]],
    ["those that begin so", ["supervise", "--driver", "c"], ["container"]],
    // Nothing but what bash offers itself: files and folders.
    ["a file", ["run", "--config", ""], [""]],
    ["a folder", ["run", "a.yaml", "--state", ""], [""]],
    ["of a command with commands only these", ["outbox", ""], ["ls", "peek", "export", "fsck"]],
    [
      "below one, its own options",
      ["outbox", "peek", "--"],
      ["--chain", "--limit", "--all", "--json", "--help"],
    ],
    ["a value below one", ["outbox", "export", "--out", ""], [""]],
  ])("of bash offers %s", (_what, typed, words) => {
    expect(offered(...typed)).toEqual(words);
  });

  it.each([
    ["zsh", /'run --log'\) all=\('text' 'json'\)/],
    ["zsh", /'run --config'\) _files; return ;;/],
    ["zsh", /'outbox'\) all=\('ls:[^\n]*_describe command all; return;;/],
    ["fish", /'__fish_seen_subcommand_from run' -l log -x -a 'text json'/],
    ["fish", /'__fish_seen_subcommand_from run' -l state -r -d/],
    ["fish", /from outbox; and not __fish_seen_subcommand_from ls peek export fsck' -f -a ls/],
    ["fish", /from outbox; and __fish_seen_subcommand_from peek' -l chain -r/],
  ] as const)("of %s has %s", (shell, line) => {
    expect(completionText(program, shell)).toMatch(line);
  });

  it.each(["zsh", "fish"] as const)("of %s names every command with what it is for", (shell) => {
    const text = completionText(program, shell);
    for (const command of program.commands) expect(text).toContain(command.name());
    expect(text).toContain("this machine\\'s sensors".replace("\\'", shell === "zsh" ? "'\\''" : "\\'"));
  });
});
