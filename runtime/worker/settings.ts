// What belongs to the device and not to a pipeline: its named NATS connections, the outbox, where it keeps state, from the
// environment, `weir.yaml` and the command line, in that order of growing precedence. All of it is optional.

import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { field } from "../../operators/sdk/index.ts";
import { subscribeSubjectFault } from "../connect/subject.ts";
import { limits } from "../limits.ts";
import { type ConfigDocument, readDocument } from "../pipeline/document.ts";
import { interpolate, type Surroundings } from "../pipeline/interpolate.ts";
import { diagnosticsOf } from "../pipeline/issue.ts";
import { outboxSetting } from "../pipeline/outbox-spec.ts";
import type { Diagnostic, OutboxSpec } from "../pipeline/pipeline.ts";

/** How one server or cluster is reached. */
export interface ConnectionSettings {
  readonly url: string | string[];
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** The text of a credentials file: `${file:edge.creds}`. */
  readonly credentials?: string | undefined;
  readonly nkey?: string | undefined;
  /** What subjects for answers begin with, where the server lets this user read no others: `_INBOX_gateway-1`. */
  readonly inbox?: string | undefined;
  readonly tls?:
    | {
        readonly ca?: string | undefined;
        readonly cert?: string | undefined;
        readonly key?: string | undefined;
      }
    | undefined;
  /** What may be sent over it in a time, where bytes cost money. */
  readonly uplink?: { readonly bytes: number; readonly every: number } | undefined;
}

const uplink = z
  .strictObject({
    bytes: field.size("What may be sent in `every`; alarms are sent all the same."),
    every: field.duration("The time that it is for, counted since the epoch: 1d begins at midnight UTC."),
  })
  .refine(({ bytes, every }) => bytes > 0 && every > 0, "a budget is of some bytes in some time");

const connectionSettings: z.ZodType<ConnectionSettings> = z.strictObject({
  url: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  user: z.string().optional(),
  password: z.string().optional(),
  token: z.string().optional(),
  credentials: z.string().optional(),
  nkey: z.string().optional(),
  inbox: z
    .string()
    .regex(/^[\w-]+$/)
    .optional(),
  tls: z
    .strictObject({ ca: z.string().optional(), cert: z.string().optional(), key: z.string().optional() })
    .optional(),
  uplink: uplink.optional(),
});

const subject = z.string().superRefine((text, context) => {
  const fault = subscribeSubjectFault(text);
  if (fault !== null) context.addIssue({ code: "custom", message: fault });
});

const deviceSettings = z.strictObject({
  nats: z.record(z.string(), connectionSettings).optional(),
  /** Threads that one source's pool may have; 0 keeps all work at home. */
  threads: z.number().int().min(0).max(64).optional(),
  /** What this machine is called in subjects of lanes and in heartbeats; its own name without it. */
  host: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
  /** A folder: with it nothing is lost and nothing comes twice. */
  state: z.string().min(1).max(4096).optional(),
  /** How often state, positions and rows are committed to it. */
  commit: field
    .duration("How often is committed to the state folder.")
    .refine(
      (every) => every >= limits.commit_ms_min && every <= limits.commit_ms_max,
      `expected ${limits.commit_ms_min}ms to ${limits.commit_ms_max / 1000}s`,
    )
    .optional(),
  /** For pipelines that say nothing. */
  outbox: outboxSetting.optional(),
  /** What a registry of devices is told of this one. */
  device: z
    .strictObject({
      location: z.string().max(256).optional(),
      labels: z.record(z.string().regex(/^[a-z0-9_-]{1,64}$/), z.string().max(256)).optional(),
      capacity: z
        .strictObject({
          processors: z.number().positive().optional(),
          memory: field.size("What all workers may take together.").optional(),
          workers: z.number().int().min(1).optional(),
        })
        .optional(),
      subjects: z.array(subject).max(limits.device_subjects_max).optional(),
    })
    .optional(),
});

/** What a registry is told of a device beside its name; what is not said is as found. */
export interface DeviceDescription {
  readonly location?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly capacity?:
    | {
        readonly processors?: number | undefined;
        readonly memory?: number | undefined;
        readonly workers?: number | undefined;
      }
    | undefined;
  /** What is published there, with wildcards. */
  readonly subjects?: readonly string[] | undefined;
}

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
  /** Who runs this worker runs the ingest of its journals as well; else it starts one itself. */
  readonly asksIngest: boolean;
  /** What rows that wait may take where a pipeline says nothing. */
  readonly outbox?: OutboxSpec | undefined;
  readonly device?: DeviceDescription | undefined;
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
    asksIngest: false,
  };
}

/** Where workers of this user keep the socket files that answer `weir why`. */
export function runFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const { WEIR_RUN_FOLDER: named, XDG_RUNTIME_DIR: users } = environment;
  return named ?? join(users ?? tmpdir(), `weir-${process.getuid?.() ?? "user"}`);
}

/** Settings with those of a `weir.yaml` on top, and every mistake in it. */
export function withFile(
  base: DeviceSettings,
  file: string,
  text: string,
  surroundings: Surroundings,
): { readonly settings: DeviceSettings; readonly diagnostics: readonly Diagnostic[] } {
  const read = readDocument(file, text);
  if (read.document === null) return { settings: base, diagnostics: read.diagnostics };
  const { document, diagnostics } = interpolate(read.document, surroundings);
  const parsed = deviceSettings.safeParse(document.value ?? {});
  if (!parsed.success) {
    return {
      settings: base,
      diagnostics: [...read.diagnostics, ...diagnostics, ...mistakes(document, parsed.error)],
    };
  }
  const { nats = {}, threads, host, state, commit, outbox, device } = parsed.data;
  return {
    settings: {
      connections: { ...base.connections, ...nats },
      threads: threads ?? base.threads,
      host: host ?? base.host,
      state: state === undefined ? base.state : resolve(dirname(file), state),
      commit_ms: commit ?? base.commit_ms,
      forget: base.forget,
      asksIngest: base.asksIngest,
      outbox: outbox ?? base.outbox,
      device: device ?? base.device,
    },
    diagnostics: [...read.diagnostics, ...diagnostics],
  };
}

function mistakes(document: ConfigDocument, error: z.ZodError): readonly Diagnostic[] {
  return diagnosticsOf(error.issues, [], deviceSettings, document);
}

/** Settings with `name=url` pairs of the command line on top; a bare url is the default connection. */
export function withConnections(base: DeviceSettings, pairs: readonly string[]): DeviceSettings {
  const connections = { ...base.connections };
  for (const pair of pairs) {
    const named = /^([a-z0-9_-]+)=(.+)$/.exec(pair);
    connections[named?.[1] ?? defaultConnection] = { url: named?.[2] ?? pair };
  }
  return { ...base, connections };
}
