// What belongs to the device and not to a pipeline: its named NATS connections, the outbox, where it keeps state, from the
// environment, `weir.yaml` and the command line, in that order of growing precedence. All of it is optional.

import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { z } from "zod";
import { limits } from "../limits.ts";
import { type ConfigDocument, readDocument } from "../pipeline/document.ts";
import { interpolate, type Surroundings } from "../pipeline/interpolate.ts";
import { diagnosticsOf } from "../pipeline/issue.ts";
import type { Diagnostic, OutboxSpec } from "../pipeline/pipeline.ts";
import { type ConnectionSettings, type DeviceDescription, deviceSetting } from "./settings-spec.ts";

export interface DeviceSettings {
  /** By name; `default` is what a pipeline without `to` uses. */
  readonly connections: Readonly<Record<string, ConnectionSettings>>;
  readonly threads: number | null;
  /** What this machine is called; null: by its own name. */
  readonly host: string | null;
  /** Where commit logs are kept; null where nothing outlives the process. */
  readonly state: string | null;
  readonly commit_ms: number;
  /** Pipelines that begin anew: of what is kept of them only their rows that wait count. */
  readonly forget: readonly string[];
  /** Pipelines whose damaged log is gone on with all the same, from the last commit that can be read. */
  readonly acceptLoss: readonly string[];
  /** Who runs this worker runs the ingest of its journals as well; else it starts one itself. */
  readonly asksIngest: boolean;
  /** What rows that wait may take where a pipeline says nothing. */
  readonly outbox?: OutboxSpec | undefined;
  readonly device?: DeviceDescription | undefined;
  /** Files that `weir.yaml` names, by their whole paths: who runs with it elsewhere has to have them as well. */
  readonly files: readonly string[];
}

export const defaultConnection = "default";
const localServer = "nats://127.0.0.1:4222";

/** What holds without any file: the local server, or the one that WEIR_NATS_URL names, and the state folder of WEIR_STATE. */
export function defaultSettings(environment: Readonly<Record<string, string | undefined>>): DeviceSettings {
  const url = environment["WEIR_NATS_URL"] ?? localServer;
  return {
    connections: { [defaultConnection]: { url } },
    threads: null,
    host: null,
    state: environment["WEIR_STATE"] ?? null,
    commit_ms: limits.commit_ms_default,
    forget: [],
    acceptLoss: [],
    asksIngest: false,
    files: [],
  };
}

/** Where workers of this user keep the socket files that answer `weir why`. */
export function runFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const { WEIR_RUN_FOLDER: named, XDG_RUNTIME_DIR: users } = environment;
  return named ?? join(users ?? tmpdir(), `weir-${process.getuid?.() ?? "user"}`);
}

/** Settings with those of a `weir.yaml` on top, and every mistake in it. Files that it names are found from its own folder on. */
export function withFile(
  base: DeviceSettings,
  file: string,
  text: string,
  surroundings: Surroundings,
): { readonly settings: DeviceSettings; readonly diagnostics: readonly Diagnostic[] } {
  const read = readDocument(file, text);
  if (read.document === null) return { settings: base, diagnostics: read.diagnostics };
  const files = new Set<string>();
  const found = (path: string): string => {
    const whole = resolve(dirname(file), path);
    files.add(whole);
    return whole;
  };
  const { document, diagnostics } = interpolate(read.document, {
    ...surroundings,
    file: (path) => surroundings.file(found(path)),
  });
  const parsed = deviceSetting.safeParse(document.value ?? {});
  if (!parsed.success) {
    // What a variable that is not set leaves behind is no mistake of its own.
    const told = new Set(diagnostics.map(({ line }) => line));
    const own = mistakes(document, parsed.error).filter(({ line }) => !told.has(line));
    return { settings: base, diagnostics: [...read.diagnostics, ...diagnostics, ...own] };
  }
  const { nats = {}, threads, host, state, commit, outbox, device } = parsed.data;
  return {
    settings: {
      connections: { ...base.connections, ...withWholePaths(nats, found) },
      threads: threads ?? base.threads,
      host: host ?? base.host,
      state: state === undefined ? base.state : resolve(dirname(file), state),
      commit_ms: commit ?? base.commit_ms,
      forget: base.forget,
      acceptLoss: base.acceptLoss,
      asksIngest: base.asksIngest,
      outbox: outbox ?? base.outbox,
      device: device ?? base.device,
      files: [...files],
    },
    diagnostics: [...read.diagnostics, ...diagnostics],
  };
}

/** The same connections, with certificates by their whole paths. */
function withWholePaths(
  connections: Readonly<Record<string, ConnectionSettings>>,
  whole: (path: string) => string,
): Record<string, ConnectionSettings> {
  const entries = Object.entries(connections).map(([name, connection]) => {
    const { tls } = connection;
    if (tls === undefined) return [name, connection] as const;
    const files = Object.entries(tls).map(([kind, path]) => [kind, path === undefined ? path : whole(path)]);
    return [name, { ...connection, tls: Object.fromEntries(files) as typeof tls }] as const;
  });
  return Object.fromEntries(entries);
}

function mistakes(document: ConfigDocument, error: z.ZodError): readonly Diagnostic[] {
  const found = diagnosticsOf(error.issues, [], deviceSetting, document);
  return found.toSorted((one, other) => one.line - other.line || one.column - other.column);
}

/** Settings with `name=url` pairs of the command line on top; a bare url is the default connection. */
export function withConnections(base: DeviceSettings, pairs: readonly string[]): DeviceSettings {
  const connections = { ...base.connections };
  for (const pair of pairs) {
    // In place of __proto__ nothing would be added.
    const named = /^(?!__proto__=)([a-z0-9_-]+)=(.+)$/.exec(pair);
    connections[named?.[1] ?? defaultConnection] = { url: named?.[2] ?? pair };
  }
  return { ...base, connections };
}
