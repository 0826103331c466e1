// The commands for what is wanted of hosts and of a fleet: their options, and what they run. Loaded with every command, so
// it loads nothing itself.

import { type Command, Option } from "commander";
import { connectionOption, finish, jsonOption, repeatable } from "./options.ts";

const userOption =
  "who asks: the connection's user, as far as the server lets nobody ask under another name; without one, the user of this machine";

export function fleetCommands(program: Command): void {
  program
    .command("sign")
    .description(
      "say with a key that pipelines may run, in FILE.sig beside each file, for devices with --trust",
    )
    .argument("<file...>", "pipeline files, folders of them, or patterns")
    .requiredOption(
      "--key <file>",
      "a private ed25519 key as PEM: openssl genpkey -algorithm ed25519 makes one",
    )
    .addOption(repeatable("--host <name>", "only on this host", "all"))
    .option(
      "--expires <duration>",
      "for how long devices take it: 30d, say; what they have taken runs on; without it, for ever",
    )
    .action((files: string[], options) =>
      finish(import("./sign.ts").then(({ sign }) => sign(files, options))),
    );
  const connected = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .addOption(connectionOption())
      .option("--config <file>", "the device's settings", "weir.yaml")
      .option("--to <connection>", "the connection with what is wanted, and with the devices", "default");
  applying(connected);
  connected("devices", "list the devices that have said they are there, and how long ago")
    .option("--runs <pipeline>", "only those that run it, or partitions of it")
    .addOption(jsonOption())
    .action((options) => finish(import("./devices.ts").then(({ devices }) => devices(options))));
  connected("deploy", "ask a device to run a pipeline; it asks the control centre")
    .argument("<pipeline>", "a pipeline file; with --remove, a pipeline's name")
    .requiredOption("--device <id>", "which device")
    .option("--user <name>", userOption)
    .option("--remove", "it is not to run it any more")
    .addOption(jsonOption())
    .action((what: string, options) =>
      finish(import("./devices.ts").then(({ deploy }) => deploy(what, options))),
    );
  connected(
    "control",
    "confirm what devices run, and place what names no host: the control centre of a fleet",
  )
    .option("--policy <file>", "who may run what where; without it, everybody everything")
    .addOption(new Option("--log <format>", "how to log").choices(["text", "json"]))
    .action((options) => finish(import("./control.ts").then(({ control }) => control(options))));
  program
    .command("release")
    .description(
      "let a pipeline, or a worker, go again that failed too often and was put aside on this machine",
    )
    .argument("<name>", "a pipeline, or a worker")
    .action((name: string) => finish(import("./status.ts").then(({ release }) => release(name))));
}

function applying(connected: (name: string, description: string) => Command): void {
  const target = (name: string, description: string): Command =>
    connected(name, description).option("--host <name>", "the host that is meant; this one without it");
  const changing = (name: string, description: string): Command =>
    target(name, description)
      .argument("[file...]", "pipeline files, folders of them, or patterns")
      .option("-f, --file <file...>", "the same, as kubectl has it (repeatable)")
      .addOption(
        new Option(
          "--fleet",
          "for whichever device fits, by its labels, its room and its subjects: weir control places it",
        ).conflicts("host"),
      )
      .option("--prune", "what is there and not among them goes; with an empty folder, all of it")
      .addOption(
        repeatable(
          "--forget <pipeline>",
          "where what it keeps does not fit its changed steps, it begins anew without its open windows",
        ),
      )
      .addOption(jsonOption());
  changing(
    "plan",
    "show what applying pipelines to a host would change, and what becomes of their state",
  ).action((files: string[], options) =>
    finish(import("./apply.ts").then(({ plan }) => plan(files, options))),
  );
  changing("apply", "check and test pipelines, and want them on a host").action((files: string[], options) =>
    finish(import("./apply.ts").then(({ apply }) => apply(files, options))),
  );
  target(
    "rollback",
    "want again what a pipeline was before its present revision; once more, what it was before that",
  )
    .argument("<pipeline>", "its name")
    .addOption(new Option("--fleet", "one that was applied with --fleet").conflicts("host"))
    .option(
      "--key <file>",
      "sign the earlier revision anew with this private key: devices with --trust refuse it otherwise",
    )
    .action((name: string, options) =>
      finish(import("./apply.ts").then(({ rollback }) => rollback(name, options))),
    );
  connected("move", "give a pipeline of the fleet, or a partition of it, to another device")
    .argument("<pipeline>", "its name; boiler~3 for one partition of it")
    .option("--host <name>", "the device that is to have it")
    .option("--user <name>", userOption)
    .addOption(
      new Option(
        "--spread",
        "share its partitions among all devices that fit, moving as few as can be",
      ).conflicts("host"),
    )
    .addOption(jsonOption())
    .action((name: string, options) => finish(import("./move.ts").then(({ move }) => move(name, options))));
  target("drain", "let all workers of a host end in order")
    .option("--undo", "let it run again what is wanted")
    .action((options) => finish(import("./apply.ts").then(({ drain }) => drain(options))));
}
