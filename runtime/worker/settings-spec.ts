// What a device's weir.yaml may say, one declaration for each setting: its type, its words for editors, and what is told where it is
// wrong. Never reads a file; what holds where nothing is said stands in settings.ts.

import { z } from "zod";
import { field } from "../../operators/sdk/index.ts";
import { parseNatsUrl } from "../connect/nats-url.ts";
import { subscribeSubjectFault } from "../connect/subject.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import { outboxSetting } from "../pipeline/outbox-spec.ts";
import type { OutboxSpec } from "../pipeline/pipeline.ts";

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

/** As it is read: lengths of time in ms, sizes in bytes. */
export interface WrittenSettings {
  readonly nats?: Readonly<Record<string, ConnectionSettings>> | undefined;
  readonly threads?: number | undefined;
  readonly host?: string | undefined;
  readonly state?: string | undefined;
  readonly commit?: number | undefined;
  /** For pipelines that say nothing. */
  readonly outbox?: OutboxSpec | undefined;
  readonly device?: DeviceDescription | undefined;
}

const text = (description: string): z.ZodString => z.string().meta({ description });

const uplink = z
  .strictObject({
    bytes: field.size("What may be sent in `every`; alarms are sent all the same."),
    every: field.duration("The time that it is for, counted since the epoch: 1d begins at midnight UTC."),
  })
  .refine(({ bytes, every }) => bytes > 0 && every > 0, "a budget is of some bytes in some time")
  .meta({
    description:
      "What may be sent over it in a time, where bytes cost money. All pipelines under one `--state` have it together, whichever worker runs them; `weir outbox ls` shows what was used. Rows of sinks with `delivery: lane` are packed there (zstd), which takes a fifth to a ninth of their bytes.",
  });

const address = z.string().superRefine((written, context) => {
  try {
    parseNatsUrl(written);
  } catch (fault) {
    context.addIssue({ code: "custom", message: messageOf(fault) });
  }
});

const connectionMap = z.strictObject({
  url: z
    .union([address, z.array(address).min(1)])
    .meta({ description: "Its address, or those of the servers of a cluster: nats://host:4222, tls://…" }),
  user: text("A user of its own configuration, with the password.").optional(),
  password: text("Of the user: ${WEIR_PASSWORD}, so that it stands in no file.").optional(),
  token: text("In place of a user.").optional(),
  // What was written stays out of the message: it may be the secret.
  credentials: text("The text of a credentials file: ${file:edge.creds}.")
    .refine(
      (written) => /-{3}[^]+-{3}/.test(written),
      "expected the text of a credentials file, not its name: write ${file:…} around that",
    )
    .optional(),
  nkey: text("The seed of an nkey, in place of a password.")
    .refine(
      (written) => /^\s*SU[A-Z2-7]{56}\s*$/.test(written),
      "expected the seed of a user's nkey, which is 58 characters and begins with SU; of a file that holds it write ${file:…}",
    )
    .optional(),
  inbox: z
    .string()
    .regex(/^[\w-]+$/, "expected letters, digits, - and _")
    .meta({
      description:
        "What subjects for answers begin with, where the server lets this user read no others: _INBOX_gateway-1.",
    })
    .optional(),
  tls: z
    .strictObject({
      ca: text("The file of the authority that signed the server's certificate.").optional(),
      cert: text("The file of this device's own certificate.").optional(),
      key: text("The file of its key.").optional(),
    })
    .meta({
      description: "Files with certificates, from this file's folder on, where the machine's own do not do.",
    })
    .optional(),
  uplink: uplink.optional(),
});

/** `cloud: nats://host:4222` is short for `cloud: { url: nats://host:4222 }`. */
const connectionSetting: z.ZodType<ConnectionSettings> = z.union([
  address.transform((url) => ({ url })),
  connectionMap,
]);

const subject = z.string().superRefine((written, context) => {
  const fault = subscribeSubjectFault(written);
  if (fault !== null) context.addIssue({ code: "custom", message: fault });
});

const device = z.strictObject({
  location: z.string().max(256).meta({ description: "Where it stands." }).optional(),
  labels: z
    .record(
      z.string().regex(/^[a-z0-9_-]{1,64}$/, "expected lower-case letters, digits, - and _, at most 64"),
      z.string().max(256),
    )
    .meta({ description: "What pipelines may ask for by `placement: { labels: … }`." })
    .optional(),
  capacity: z
    .strictObject({
      processors: z
        .number()
        .positive()
        .meta({ description: "Processors that all workers may take together; all without it." })
        .optional(),
      memory: field.size("What all workers may take together.").optional(),
      workers: z.number().int().min(1).meta({ description: "How many workers it may run." }).optional(),
    })
    .meta({ description: "What it gives its workers; as it is found without it." })
    .optional(),
  subjects: z
    .array(subject)
    .max(limits.device_subjects_max)
    .meta({
      description: "What is published there, with wildcards: pipelines that read it are placed near it.",
    })
    .optional(),
});

const commit = field
  .duration("How often is committed to the state folder.")
  .refine(
    (every) => every >= limits.commit_ms_min && every <= limits.commit_ms_max,
    `expected ${limits.commit_ms_min}ms to ${limits.commit_ms_max / 1000}s`,
  );

export const deviceSetting: z.ZodType<WrittenSettings> = z.strictObject({
  nats: z
    .record(z.string(), connectionSetting)
    .meta({
      description:
        "The device's connections by name: an address, or a map. `default` is the one of pipelines that name none by `to`.",
    })
    .optional(),
  threads: z
    .number()
    .int()
    .min(0)
    .max(limits.worker_threads_max)
    .meta({
      description:
        "Threads of the pool that all sources of a worker share; 0 keeps all work at home. Without it as many as there are processors to spare.",
    })
    .optional(),
  host: z
    .string()
    .regex(/^[\w-]{1,64}$/, "expected letters, digits, - and _, at most 64")
    .meta({ description: "What this machine is called in subjects and heartbeats; its own name without it." })
    .optional(),
  state: z
    .string()
    .min(1)
    .max(4096)
    .meta({ description: "A folder, from this file's on: with it nothing is lost and nothing comes twice." })
    .optional(),
  commit: commit.optional(),
  outbox: outboxSetting.optional(),
  device: device.meta({ description: "What a registry of devices is told of this one." }).optional(),
});
