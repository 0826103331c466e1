// What weir --help and weir COMMAND --help show beyond commander's own: commands in groups, in the order in which one
// needs them, and for each how it is typed. Defines no command.

import type { Command } from "commander";

/** The groups in their order, each with its commands in theirs. */
const groups: Readonly<Record<string, readonly string[]>> = {
  "Write a pipeline:": ["init", "lint", "test", "explain", "try"],
  "Run it here:": ["run", "status", "why", "outbox", "feed", "demo"],
  "Keep a device running:": ["supervise", "logs", "release", "worker", "ingest"],
  "Look after many devices:": [
    "sign",
    "plan",
    "apply",
    "rollback",
    "move",
    "drain",
    "devices",
    "deploy",
    "control",
  ],
  "For editors, shells and pages:": ["schema", "docs", "completion", "help"],
};

/** By command, how it is typed. */
const examples: Readonly<Record<string, readonly string[]>> = {
  init: [
    "weir init boiler.yaml",
    "weir init boiler.yaml --from readings.ndjson",
    "weir init boiler.yaml --from 'sensors.>' --for 30s    # from what comes just now",
    "weir init operators/spike.ts    # an operator of your own",
  ],
  lint: ["weir lint boiler.yaml", "weir lint pipelines/ --json"],
  test: [
    "weir test boiler.yaml",
    "weir test boiler.yaml --rows    # what comes out, to be written under expect",
    "weir test 'pipelines/*.yaml'",
  ],
  explain: ["weir explain boiler.yaml"],
  try: [
    "weir try boiler.yaml    # beside whoever reads the source; Ctrl-C ends it and sums up",
    "weir try boiler.yaml --last 1000 --step window",
    "weir try boiler.yaml --from readings.csv --limit 20rows",
    "weir try boiler.yaml --against changed.yaml --since 10m",
  ],
  run: [
    "weir run boiler.yaml",
    "weir run pipelines/ --nats nats://127.0.0.1:4222 --nats cloud=nats://cloud.example:4222",
    "weir run boiler.yaml --state /var/lib/weir    # exactly once, through crashes and outages",
  ],
  status: ["weir status", "watch -n 1 weir status"],
  why: ["weir why", "weir why boiler", "weir why --ready    # as a probe"],
  outbox: ["weir outbox ls"],
  "outbox ls": ["weir outbox ls", "weir outbox ls /var/lib/weir"],
  "outbox peek": ["weir outbox peek /var/lib/weir --limit 3"],
  "outbox export": ["weir outbox export /var/lib/weir --out waiting.ndjson"],
  "outbox fsck": ["weir outbox fsck /var/lib/weir"],
  feed: [
    "weir feed host --to sensors.{sensor}.{name}",
    "weir feed readings.ndjson --to sensors.{device} --rate 100",
    "weir feed readings.csv --to sensors/{device} --url mqtt://127.0.0.1:1883",
  ],
  demo: ["weir demo", "weir demo --for 20s --json"],
  supervise: [
    "weir supervise pipelines/ --state /var/lib/weir",
    "weir supervise --desired cloud --trust trusted.pem --state /var/lib/weir    # only what is signed",
  ],
  logs: ["weir logs boiler --lines 20"],
  release: ["weir release boiler"],
  worker: ["weir worker pipelines/ --state /var/lib/weir --admin 127.0.0.1:9090"],
  ingest: ["weir ingest boiler.yaml --state /var/lib/weir"],
  sign: ["weir sign pipelines/ --key release.key", "weir sign boiler.yaml --key release.key --expires 30d"],
  plan: ["weir plan pipelines/ --host gateway-7"],
  apply: ["weir apply pipelines/ --host gateway-7", "weir apply boiler.yaml --fleet"],
  rollback: [
    "weir rollback boiler --host gateway-7",
    "weir rollback boiler --host gateway-7 --key release.key    # where devices trust only what is signed",
  ],
  move: ["weir move boiler --host gateway-7", "weir move boiler --spread"],
  drain: ["weir drain --host gateway-7", "weir drain --host gateway-7 --undo"],
  devices: ["weir devices --nats nats://cloud.example:4222", "weir devices --runs boiler    # where it runs"],
  deploy: ["weir deploy boiler.yaml --device gateway-7"],
  control: ["weir control --policy policy.yaml"],
  schema: [
    "weir schema --out pipeline.schema.json",
    "weir schema --out pipeline.schema.json --use operators/spike.ts    # with an operator of your own",
    "# yaml-language-server: $schema=./pipeline.schema.json    # first line of a pipeline",
    "weir schema device --out device.schema.json    # the same for weir.yaml",
  ],
  docs: ["weir docs --out REFERENCE.md"],
  completion: [
    "source <(weir completion bash)    # or in ~/.bashrc",
    "weir completion zsh > ~/.zfunc/_weir",
    "weir completion fish > ~/.config/fish/completions/weir.fish",
  ],
};

/** A command's name with those above it, without the program's: `outbox ls`. */
function pathOf(command: Command): string {
  const above = command.parent === null ? "" : pathOf(command.parent);
  if (command.parent === null) return "";
  return above === "" ? command.name() : `${above} ${command.name()}`;
}

/** How a command is typed; none where it has no example. */
export function examplesOf(command: Command): readonly string[] {
  return examples[pathOf(command)] ?? [];
}

function dress(command: Command): void {
  const typed = examplesOf(command);
  if (typed.length > 0) {
    const title = typed.length === 1 ? "Example:" : "Examples:";
    command.addHelpText("after", `\n${title}\n${typed.map((line) => `  ${line}`).join("\n")}`);
  }
  command.showHelpAfterError(`(weir ${pathOf(command)} --help says how)`);
  for (const each of command.commands) dress(each);
}

/** A command in the list: that it has options goes without saying. */
export function subcommandTerm(command: Command): string {
  const taken = command.registeredArguments.map((each) => {
    const name = `${each.name()}${each.variadic ? "..." : ""}`;
    return each.required ? ` <${name}>` : ` [${name}]`;
  });
  return `${command.name()}${taken.join("")}`;
}

/**
 * What was typed, with help asked for at the command that is meant and, where there is none of that name, not at all: what is
 * unknown is then said, where commander would show the help of what is above it and call that a success.
 */
export function withHelpOfKnown(program: Command, typed: readonly string[]): readonly string[] {
  let command = program;
  for (const [place, word] of typed.entries()) {
    if (word.startsWith("-")) return typed;
    const meant = typed.slice(place + 1);
    if (word === "help" && meant.length > 0)
      return withHelpOfKnown(program, [...typed.slice(0, place), ...meant, "--help"]);
    const known = command.commands.find((each) => each.name() === word);
    if (known === undefined)
      return word === "help" ? typed : typed.filter((each) => each !== "-h" && each !== "--help");
    if (known.commands.length === 0) return typed;
    command = known;
  }
  return typed;
}

/** Gives a program whose commands are all defined its order, groups and examples. */
export function dressHelp(program: Command): void {
  const order = Object.values(groups).flat();
  const commands = program.commands as Command[];
  program
    .commandsGroup(Object.keys(groups).at(-1) ?? "")
    .helpCommand("help [command]", "show how a command is typed");
  commands.sort((a, b) => order.indexOf(a.name()) - order.indexOf(b.name()));
  for (const command of commands) {
    const group = Object.entries(groups).find(([, names]) => names.includes(command.name()))?.[0];
    if (group !== undefined) command.helpGroup(group);
    dress(command);
  }
  program.addHelpText(
    "after",
    "\nA first pipeline:\n  weir init && weir lint pipeline.yaml && weir test pipeline.yaml",
  );
}
