// weir completion: what a shell needs to complete commands, options and their values, made from the commands themselves.
// Pure but for what it prints.

import type { Command, Option } from "commander";
import { print } from "./terminal.ts";

export type Shell = "bash" | "zsh" | "fish";

interface Word {
  readonly word: string;
  readonly about: string;
}

interface Offered extends Word {
  /** What an option takes: one of these words, or any text where there are none; null where it takes nothing. */
  readonly values: readonly string[] | null;
}

interface Completed extends Word {
  /** With those above it: `outbox ls`. */
  readonly path: string;
  /** Commands below it, and the choices of its arguments. */
  readonly words: readonly Word[];
  readonly options: readonly Offered[];
  /** Commands below it; where there are some, one of them follows and nothing else. */
  readonly below: readonly Completed[];
}

function optionOf({ long, description, argChoices, required, optional }: Option): Offered[] {
  const values = required || optional ? (argChoices ?? []) : null;
  return long == null ? [] : [{ word: long, about: description, values }];
}

function commandsOf(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

function completedOf(command: Command, above = ""): Completed {
  const path = `${above}${command.name()}`;
  const below = commandsOf(command)
    .filter((each) => each.name() !== "help")
    .map((each) => completedOf(each, `${path} `));
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  return {
    path,
    word: command.name(),
    about: command.description(),
    words: [...below, ...choices.map((word) => ({ word, about: "" }))],
    options: command.createHelp().visibleOptions(command).flatMap(optionOf),
    below,
  };
}

/** A command and all below it. */
function withBelow(command: Completed): readonly Completed[] {
  return [command, ...command.below.flatMap(withBelow)];
}

/** What may follow a command. */
function following({ words, options, below }: Completed): readonly Word[] {
  return below.length > 0 ? words : [...words, ...options];
}

const texts = (all: readonly Word[]): string => all.map(({ word }) => word).join(" ");

/** The part of a `case` that finds the command below another one. */
function descent(commands: readonly Completed[]): string {
  return commands
    .filter(({ below }) => below.length > 0)
    .map(({ word }) => word)
    .join("|");
}

/** By command and option, what the option takes. */
function valued(
  commands: readonly Completed[],
): readonly { readonly at: string; readonly values: readonly string[] }[] {
  return commands.flatMap(({ path, options }) =>
    options.flatMap(({ word, values }) => (values === null ? [] : [{ at: `${path} ${word}`, values }])),
  );
}

function bash(top: readonly Completed[]): string {
  const all = top.flatMap(withBelow);
  const chosen = valued(all).filter(({ values }) => values.length > 0);
  const free = valued(all).filter(({ values }) => values.length === 0);
  return [
    "_weir() {",
    '  local words="" word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="${COMP_WORDS[1]}"',
    '  [ "$COMP_CWORD" -gt 2 ] && case "$command" in',
    `    ${descent(top)}) command="$command \${COMP_WORDS[2]}" ;;`,
    "  esac",
    `  if [ "$COMP_CWORD" -eq 1 ]; then words="${texts(top)}"`,
    '  else case "$command $before" in',
    ...chosen.map(({ at, values }) => `    "${at}") words="${values.join(" ")}" ;;`),
    // Where no word is offered, it is files and folders.
    `    ${free.map(({ at }) => `"${at}"`).join("|")}) words="" ;;`,
    '    *) case "$command" in',
    ...all.map((each) => `      "${each.path}") words="${texts(following(each))}" ;;`),
    "    esac ;;",
    "  esac; fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "}",
    "complete -o default -F _weir weir",
  ].join("\n");
}

/** A text in single quotes of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function zsh(top: readonly Completed[]): string {
  const all = top.flatMap(withBelow);
  const described = (offered: readonly Word[]): string =>
    offered
      .map(({ word, about }) => quoted(about === "" ? word : `${word}:${about.replaceAll(":", "\\:")}`))
      .join(" ");
  return [
    "#compdef weir",
    "_weir() {",
    "  local -a all",
    "  local command=$words[2]",
    `  if (( CURRENT == 2 )); then all=(${described(top)}); _describe command all; return; fi`,
    `  if (( CURRENT > 3 )); then case $command in ${descent(top)}) command="$command $words[3]" ;; esac; fi`,
    '  case "$command $words[CURRENT-1]" in',
    ...valued(all).map(({ at, values }) =>
      values.length === 0
        ? `    ${quoted(at)}) _files; return ;;`
        : `    ${quoted(at)}) all=(${values.map(quoted).join(" ")}); _describe value all; return ;;`,
    ),
    "  esac",
    "  case $command in",
    ...all.map((each) => {
      const last = each.below.length > 0 ? " _describe command all; return" : "";
      return `    ${quoted(each.path)}) all=(${described(following(each))});${last === "" ? "" : `${last};`};`;
    }),
    "  esac",
    "  _describe option all",
    "  _files",
    "}",
    // In a folder of completions it is called by its first line, elsewhere it is sourced.
    'if [ "$funcstack[1]" = "_weir" ]; then _weir "$@"; else compdef _weir weir; fi',
  ].join("\n");
}

const quotedFish = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** What fish offers behind a command. */
function fishOf(command: Completed): string[] {
  const { path, options, below } = command;
  const seen = path
    .split(" ")
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join("; and ");
  const none = `; and not __fish_seen_subcommand_from ${texts(below)}`;
  const when = below.length > 0 ? `${seen}${none}` : seen;
  const offered = [
    ...command.words.map(({ word, about }) => ({ what: `-f -a ${word}`, about })),
    ...(below.length > 0 ? [] : options).map(({ word, about, values }) => {
      const takes =
        values === null ? "" : values.length === 0 ? " -r" : ` -x -a ${quotedFish(values.join(" "))}`;
      return { what: `-l ${word.slice(2)}${takes}`, about };
    }),
  ];
  return [
    ...offered.map(({ what, about }) => `complete -c weir -n '${when}' ${what} -d ${quotedFish(about)}`),
    ...below.flatMap(fishOf),
  ];
}

function fish(top: readonly Completed[]): string {
  return top
    .flatMap((command) => [
      `complete -c weir -n __fish_use_subcommand -f -a ${command.word} -d ${quotedFish(command.about)}`,
      ...fishOf(command),
    ])
    .join("\n");
}

export function completionText(program: Command, shell: Shell): string {
  const commands = commandsOf(program).map((command) => completedOf(command));
  return { bash, zsh, fish }[shell](commands);
}

export async function completion(program: Command, shell: Shell): Promise<number> {
  print(completionText(program, shell));
  return 0;
}
