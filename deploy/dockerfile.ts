// Reads the settings that the last stage of deploy/Dockerfile gives to the image, so that they are written once.
// Knows the instructions that stand there and refuses all others. Never builds anything.

import { WeirError } from "../runtime/errors.ts";

/** As image configurations hold it: https://github.com/opencontainers/image-spec, and Docker's health check. */
export interface ImageSettings {
  User: string;
  WorkingDir: string;
  StopSignal: string;
  Entrypoint: readonly string[];
  Cmd: readonly string[];
  Labels: Record<string, string>;
  Volumes: Record<string, Record<string, never>>;
  /** Times in nanoseconds. */
  Healthcheck: {
    readonly Test: readonly string[];
    readonly Interval: number;
    readonly Timeout: number;
    readonly StartPeriod: number;
    readonly Retries: number;
  };
}

type Build = Partial<ImageSettings> & { Labels: Record<string, string> };

/** Instructions with continued lines joined and comments left out. */
function instructionsOf(text: string): { readonly word: string; readonly rest: string }[] {
  const joined = text.replace(/^\s*#.*\n/gm, "").replace(/\\\n\s*/g, " ");
  return joined
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [word = "", ...rest] = line.trim().split(/\s+/);
      return { word, rest: rest.join(" ") };
    });
}

function wrong(instruction: string, expected: string): WeirError {
  return new WeirError("WEIR_CONFIG", `deploy/Dockerfile: ${instruction}: expected ${expected}`, {
    remedy: "write it in that form, which npm run image can read",
  });
}

function listOf(word: string, rest: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(rest);
    if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  } catch {
    // Told below.
  }
  throw wrong(`${word} ${rest}`, 'a list such as ["a", "b"], because there is no shell');
}

function nanoseconds(rest: string, option: string): number {
  const found = new RegExp(`--${option}=(\\d+)s\\b`).exec(rest);
  if (found === null) throw wrong(`HEALTHCHECK ${rest}`, `--${option}=…s`);
  return Number(found[1]) * 1e9;
}

function healthcheckOf(rest: string): ImageSettings["Healthcheck"] {
  const command = /\bCMD (\[.*)$/.exec(rest)?.[1];
  const retries = /--retries=(\d+)/.exec(rest)?.[1];
  if (command === undefined || retries === undefined) {
    throw wrong(`HEALTHCHECK ${rest}`, '--retries=… CMD ["…"]');
  }
  return {
    Test: ["CMD", ...listOf("HEALTHCHECK", command)],
    Interval: nanoseconds(rest, "interval"),
    Timeout: nanoseconds(rest, "timeout"),
    StartPeriod: nanoseconds(rest, "start-period"),
    Retries: Number(retries),
  };
}

function labelsOf(rest: string, variables: ReadonlyMap<string, string>): Record<string, string> {
  const pairs = [...rest.matchAll(/([\w.-]+)="([^"]*)"/g)];
  const filled = (value: string): string =>
    value.replace(/\$\{(\w+)\}/g, (_all, name: string) => variables.get(name) ?? "");
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, filled(value)]));
}

function apply(build: Build, word: string, rest: string, variables: Map<string, string>): void {
  if (word === "ARG") {
    const [name = "", value = ""] = rest.split("=");
    if (!variables.has(name)) variables.set(name, value);
  } else if (word === "LABEL") Object.assign(build.Labels, labelsOf(rest, variables));
  else if (word === "USER") build.User = rest;
  else if (word === "WORKDIR") build.WorkingDir = rest;
  else if (word === "STOPSIGNAL") build.StopSignal = rest;
  else if (word === "ENTRYPOINT") build.Entrypoint = listOf(word, rest);
  else if (word === "CMD") build.Cmd = listOf(word, rest);
  else if (word === "VOLUME")
    build.Volumes = Object.fromEntries(listOf(word, rest).map((path) => [path, {}]));
  else if (word === "HEALTHCHECK") build.Healthcheck = healthcheckOf(rest);
  else if (word !== "COPY") throw wrong(`${word} ${rest}`, "an instruction of the last stage that is known");
}

/** The settings of the last stage; `given` are its build arguments. */
export function settingsOf(text: string, given: Readonly<Record<string, string>>): ImageSettings {
  const all = instructionsOf(text);
  const stage = all.slice(all.findLastIndex(({ word }) => word === "FROM") + 1);
  const variables = new Map(Object.entries(given));
  const build: Build = { Labels: {} };
  for (const { word, rest } of stage) apply(build, word, rest, variables);
  const { User, WorkingDir, StopSignal, Entrypoint, Cmd, Labels, Volumes, Healthcheck } = build;
  if (!User || !WorkingDir || !StopSignal || !Entrypoint || !Cmd || !Volumes || !Healthcheck) {
    throw wrong(
      "the last stage",
      "USER, WORKDIR, STOPSIGNAL, ENTRYPOINT, CMD, VOLUME and HEALTHCHECK, each once",
    );
  }
  return { User, WorkingDir, StopSignal, Entrypoint, Cmd, Labels, Volumes, Healthcheck };
}
