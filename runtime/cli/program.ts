// The commands of weir, their arguments and options. Each command's code is loaded only when it runs, so that help comes
// at once. Runs none by itself.

import { Argument, Command, Option } from "commander";
import type { Shell } from "./completion.ts";
import type { SchemaKind } from "./generate.ts";
import { limits } from "../limits.ts";
import { fleetCommands } from "./fleet-commands.ts";
import { dressHelp, subcommandTerm } from "./help.ts";
import {
  connectionOption,
  failAsJson,
  finish,
  jsonOption,
  memoryOption,
  positive,
  processorsOption,
  repeatable,
  version,
  whole,
} from "./options.ts";

export const program: Command = new Command("weir")
  .description(
    "Filters, aggregates and condenses sensor streams at the edge: declarative pipelines over NATS.",
  )
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError("(weir --help lists the commands)")
  .configureHelp({ subcommandTerm })
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 64);
  })
  .hook("preAction", (_program, command) => {
    // The demonstration's one object is of what it has done.
    if (command.opts()["json"] === true && command.name() !== "demo")
      failAsJson(command.name() === "run" ? "stderr" : "stdout");
  });

program
  .command("run")
  .description("run pipelines until their sources end, or until SIGTERM, which drains them")
  .argument("<file...>", "pipeline files, folders of them, or patterns")
  .addOption(connectionOption())
  .option("--config <file>", "the device's settings", "weir.yaml")
  .option(
    "--state <folder>",
    "keep state here: nothing is lost and nothing comes twice, whatever ends the process",
  )
  .addOption(
    repeatable(
      "--forget <pipeline>",
      "begin this pipeline anew, after its steps were changed: its open windows are lost, its place in the source and its rows that wait are not",
    ),
  )
  .addOption(
    repeatable(
      "--accept-loss <pipeline>",
      "go on with this pipeline although its state is damaged: from the last commit that can be read, so that rows made since then may come twice, or not at all where their source has let go of its records",
    ),
  )
  .addOption(new Option("--log <format>", "how to log").choices(["text", "json"]))
  .option("--json", "print the final counts as JSON on standard error's last line")
  .action((files: string[], options) => finish(import("./run.ts").then(({ run }) => run(files, options))));

program
  .command("ingest")
  .description(
    "write what core NATS sends to journals, for pipelines that ask for one; weir run starts this by itself",
  )
  .argument("[file...]", "pipeline files, folders of them, or patterns")
  .addOption(connectionOption())
  .option("--config <file>", "the device's settings", "weir.yaml")
  .option("--state <folder>", "the state folder; without it, that of the settings")
  .addOption(new Option("--log <format>", "how to log").choices(["text", "json"]))
  .addOption(new Option("--plan", "read what to do from standard input, as weir run says it").hideHelp())
  .option("--asked", "write what the workers of the state folder ask for, as weir supervise has it do")
  .action((files: string[], options) =>
    finish(import("./ingest.ts").then(({ ingest }) => ingest(files, options))),
  );

program
  .command("worker")
  .description(
    "run the pipelines of a folder, or those a supervisor assigns, and follow every change of them",
  )
  .argument("<what>", "a folder of pipeline files, or an assignment")
  .addOption(connectionOption())
  .option("--config <file>", "the device's settings", "weir.yaml")
  .option(
    "--state <folder>",
    "keep state here: nothing is lost and nothing comes twice, whatever ends the process",
  )
  .option(
    "--admin <address>",
    "answer /healthz, /readyz and /metrics there: 127.0.0.1:9090, say; 0 for none",
    "0",
  )
  .addOption(
    repeatable(
      "--forget <pipeline>",
      "begin this pipeline anew where its steps were changed: its open windows are lost, its place in the source and its rows that wait are not",
    ),
  )
  .option("--name <name>", "what it is called in heartbeats", "worker")
  .option("--host <name>", "the machine's name in heartbeats; its own without it")
  .option("--identity <name>", "names its socket file for questions; made up without it")
  .option("--heartbeats <connection>", "beat on this NATS connection every second")
  .option("--ask-ingest", "ask the ingest that runs beside it for journals, in place of starting one")
  .addOption(new Option("--log <format>", "how to log").choices(["text", "json"]))
  .action((what: string, options) =>
    finish(import("./worker.ts").then(({ worker }) => worker(what, options))),
  );

program
  .command("supervise")
  .description(
    "keep workers running what a folder of pipelines says: started, watched, restarted, rolled back",
  )
  .argument("[folder]", "pipeline files; without it, what was wanted last")
  .requiredOption("--state <folder>", "where all of it is kept: what is wanted, and the state of pipelines")
  .addOption(connectionOption())
  .option("--config <file>", "the device's settings", "weir.yaml")
  .option("--desired <connection>", "follow the bucket of what is wanted there, in place of a folder")
  .addOption(
    repeatable(
      "--forget <pipeline>",
      "of a folder: begin this pipeline anew where its steps were changed: its open windows are lost, its place in the source and its rows that wait are not",
    ),
  )
  .option(
    "--trust <file>",
    "run only what a key of this file has signed (weir sign): public ed25519 keys as PEM, read again when it changes",
  )
  .addOption(
    new Option("--driver <kind>", "what runs workers")
      .choices(["process", "container", "vm"])
      .default("process"),
  )
  .option("--image <name>", "for containers: the image of workers", "localhost/weir:latest")
  .option("--network <name>", "for containers: the engine's network that workers join", "bridge")
  .option("--within <container>", "for containers: the one that the supervisor itself runs in")
  .option(
    "--machine <folder>",
    "for virtual machines: kernel, initial.cpio and root.img to start them from, as npm run machine makes them",
    "/usr/lib/weir/machine",
  )
  .option("--qemu <program>", "for virtual machines: what runs them", "qemu-system-x86_64")
  .option("--host <name>", "what this machine is called; its own name without it")
  .addOption(memoryOption())
  .addOption(processorsOption())
  .option(
    "--pids <number>",
    `processes and threads that one worker may have; without it ${limits.worker_pids_default} in a container, and no limit for a process`,
    whole,
  )
  .option(
    "--admin <address>",
    "answer /healthz, /readyz and /metrics of all workers there: 127.0.0.1:9090, say; 0 for none",
    "0",
  )
  .addOption(new Option("--log <format>", "how to log").choices(["text", "json"]))
  .addHelpText(
    "after",
    "\nCtrl-C (SIGINT) drains all workers and then ends it. SIGTERM ends it alone: its\nworkers run on, and the next one with the same --state takes them over.",
  )
  .action((folder: string | undefined, options, command: Command) => {
    const given = Object.keys(options).filter((name) => command.getOptionValueSource(name) === "cli");
    return finish(import("./supervise.ts").then(({ supervise }) => supervise(folder, options, given)));
  });

program
  .command("status")
  .description("show what runs on this machine and how it fares: records, rows, bytes and what that saves")
  .addOption(jsonOption())
  .action((options) => finish(import("./status.ts").then(({ status }) => status(options))));

program
  .command("logs")
  .description("show the end of what a worker says")
  .argument("<name>", "a worker, or a pipeline that it runs")
  .option("--lines <count>", "how many", whole, 100)
  .action((name: string, options) => finish(import("./status.ts").then(({ logs }) => logs(name, options))));

fleetCommands(program);

program
  .command("lint")
  .description("check pipeline files and a device's weir.yaml: every mistake at once, with line and column")
  .argument("<file...>", "pipeline files, folders of them, or patterns; weir.yaml, also where it lies in one")
  .option("--config <file>", "the device's settings, where they are not called weir.yaml")
  .addOption(jsonOption())
  .action((files: string[], options) => finish(import("./lint.ts").then(({ lint }) => lint(files, options))));

program
  .command("test")
  .description("run the tests that pipeline files carry, under a virtual clock")
  .argument("<file...>", "pipeline files, folders of them, or patterns")
  .option("--rows", "show the rows of each test, as they may stand in its expect")
  .addOption(jsonOption())
  .action((files: string[], options) => finish(import("./test.ts").then(({ test }) => test(files, options))));

program
  .command("try")
  .description(
    "run a pipeline on real records and show what comes out: nothing is sent, kept or acknowledged",
  )
  .argument("<file>", "a pipeline file")
  .addOption(
    repeatable(
      "--from <file>",
      "records of an NDJSON or CSV file in place of the source; NAME=FILE where there are several",
      "the sources as they stand",
    ),
  )
  .option("--since <duration>", "of a stream: what it stored since then, in place of what comes")
  .option("--last <messages>", "of a stream: the last so many that it stores", whole)
  .option("--for <duration>", "how long; without it until Ctrl-C, or the end of what is stored")
  .option("--limit <count>", "stop after so many records, or rows: 100, 20rows")
  .option("--step <step>", "show what leaves this step, as weir explain calls it: 2, alarms/1, window")
  .option(
    "--against <file>",
    "give another pipeline the same records, and show how its rows differ; where they do, the exit code is 1",
  )
  .option("--tolerance <share>", "with --against: numbers may differ by this share of them: 1e-9", positive)
  .addOption(connectionOption())
  .option("--config <file>", "the device's settings", "weir.yaml")
  .option("--json", "print a JSON object a row, and last a summary")
  .action((file: string, options) =>
    finish(import("./try.ts").then(({ tryPipeline }) => tryPipeline(file, options))),
  );

program
  .command("explain")
  .description("show the plan: what is decoded, what runs where, and what each source and sink guarantees")
  .argument("<file...>", "pipeline files, folders of them, or patterns")
  .addOption(jsonOption())
  .action((files: string[], options) =>
    finish(import("./explain.ts").then(({ explain }) => explain(files, options))),
  );

program
  .command("why")
  .description("say why running pipelines have not sent what they hold: what they wait for, and since when")
  .argument("[pipeline]", "its name; without it, all that run here")
  .addOption(jsonOption())
  .addOption(
    new Option(
      "--ready",
      "only see that all run that are wanted here: for probes; it fails where one does not",
    ).conflicts("json"),
  )
  .action((pipeline: string | undefined, options) =>
    finish(import("./why.ts").then(({ why }) => why(pipeline, options))),
  );

const outbox = program
  .command("outbox")
  .description(
    "look at what waits to be sent, in the state folder of a worker that has ended; ls without a folder asks those that run",
  );
const stateArgument = "the state folder of a worker that has ended: what --state of weir run names";

outbox
  .command("ls")
  .description(
    "what each chain holds: rows, bytes, the oldest, what was dropped; budgets and what is left of them",
  )
  .argument("[state]", `${stateArgument}; without it, workers that run here are asked`)
  .addOption(jsonOption())
  .action((state: string | undefined, options) =>
    finish(import("./outbox.ts").then(({ ls }) => ls(state, options))),
  );

outbox
  .command("peek")
  .description("the next rows that wait")
  .argument("<state>", stateArgument)
  .option("--chain <name>", "of this chain only")
  .option("--limit <rows>", "how many of each chain", whole, 10)
  .option("--all", "also those that arrived and are still kept")
  .addOption(jsonOption())
  .action((state: string, options) => finish(import("./outbox.ts").then(({ peek }) => peek(state, options))));

outbox
  .command("export")
  .description("write the rows that wait, a line of JSON each; they stay where they are")
  .argument("<state>", stateArgument)
  .option("--chain <name>", "of this chain only")
  .option("--limit <rows>", "how many of each chain at most", whole)
  .option("--all", "also those that arrived and are still kept")
  .option("--out <file>", "a new file; - for standard output", "-")
  .action((state: string, options) =>
    finish(import("./outbox.ts").then(({ exported }) => exported(state, options))),
  );

outbox
  .command("fsck")
  .description("read all that is kept, and say what cannot be")
  .argument("<state>", stateArgument)
  .addOption(jsonOption())
  .action((state: string, options) => finish(import("./outbox.ts").then(({ fsck }) => fsck(state, options))));

program
  .command("init")
  .description("write a pipeline to start from, also from what sensors send, or an operator of your own")
  .argument("[file]", "where to; one that ends in .ts is an operator", "pipeline.yaml")
  .option(
    "--from <source>",
    "begin from records: of an NDJSON or CSV file, or of a NATS subject, with wildcards",
  )
  .option(
    "--for <duration>",
    `how long a subject is listened to; ${limits.sample_ms_default / 1000}s without it`,
  )
  .addOption(connectionOption())
  .option("--config <file>", "the device's settings", "weir.yaml")
  .option("--force", "replace the file when it exists")
  .option("--json", "print what --from shows as JSON for machines, and write no file")
  .action((file: string, options) => finish(import("./init.ts").then(({ init }) => init(file, options))));

program
  .command("feed")
  .description("put a file, or this machine's sensors, onto NATS subjects or MQTT topics")
  .argument("<what>", 'an NDJSON or CSV file, or "host" for this machine\'s sensors')
  .requiredOption("--to <subject>", "a subject or topic; {field} stands for a field's value")
  .option("--url <url>", "nats://… or mqtt://…", "nats://127.0.0.1:4222")
  .option("--stream <name>", "publish to this JetStream stream and wait for its answers")
  .option("--batch <rows>", "up to so many rows in one message of NATS, as lines", whole)
  .option("--rate <records>", "records a second", positive)
  .option("--speed <factor>", "in the file's own time, this many times faster", positive)
  .option(
    "--begin <time>",
    "for --rate and --speed: when the first record is due, ISO 8601 or ms since the epoch; without it, at once",
  )
  .option("--every <duration>", "for host: how often the sensors are read", "100ms")
  .option("--time-field <name>", "the field with the time; added when --step says how it is computed")
  .option("--start <time>", "for --step: the time of index 1, ISO 8601 or ms since the epoch")
  .option("--step <duration>", "adds the time: start + (index - 1) × step")
  .option("--index <field>", "for --step: the field that counts; without it, lines are counted")
  .option("--from <duration>", "skip what lies before this offset of the file's own time")
  .addOption(
    repeatable("--where <field=value>", "only these records; field!=value leaves them out", "all records"),
  )
  .option("--limit <records>", "at most this many", whole)
  .addOption(jsonOption())
  .action((what: string, options) => finish(import("./feed.ts").then(({ feed }) => feed(what, options))));

program
  .command("demo")
  .description("run edge and cloud on this machine: real sensors through real pipelines")
  .option("--for <duration>", "how long; without a terminal it is 20s")
  .option("--chaos", "kill the worker and both servers again and again while it runs")
  .option("--containers", "run the pipelines in containers under weir supervise (as root, with Podman)")
  .addOption(jsonOption())
  .action((options) => finish(import("./demo.ts").then(({ demo }) => demo(options))));

program
  .command("schema")
  .description("write the JSON Schemas of pipeline files and of the device's weir.yaml, for editors")
  .addArgument(
    new Argument("[kind]", "which; without it both, or a pipeline's where --out is given").choices([
      "pipeline",
      "device",
    ]),
  )
  .option("--out <file>", "where to; - for standard output; without it pipelines/<kind>.schema.json")
  .option(
    "--use <file...>",
    "files of operators of your own that pipelines use, so that they are in it (repeatable)",
  )
  .option("--check", "only say whether the files are up to date")
  .action((kind: SchemaKind | undefined, options) =>
    finish(import("./generate.ts").then(({ schema }) => schema(kind, options))),
  );

program
  .command("docs")
  .description("write the operator reference")
  .option("--out <file>", "where to; - for standard output", "operators/REFERENCE.md")
  .option("--check", "only say whether the file is up to date")
  .action((options) => finish(import("./generate.ts").then(({ docs }) => docs(options))));

program
  .command("completion")
  .description("write what a shell needs to complete commands and options")
  .addArgument(new Argument("<shell>", "which").choices(["bash", "zsh", "fish"]))
  .action((shell: string) =>
    finish(import("./completion.ts").then(({ completion }) => completion(program, shell as Shell))),
  );

dressHelp(program);
