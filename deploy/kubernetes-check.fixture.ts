// Checks Kubernetes manifests against the published types of its interface, without a cluster: unknown fields,
// wrong types and missing fields are what the TypeScript compiler finds in them as literals. KEDA's one kind stands here.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

const root = join(import.meta.dirname, "..");

const modules: Readonly<Record<string, string>> = {
  v1: "kubernetes-types/core/v1",
  "apps/v1": "kubernetes-types/apps/v1",
  "policy/v1": "kubernetes-types/policy/v1",
  "networking.k8s.io/v1": "kubernetes-types/networking/v1",
};

/** What KEDA's scaled object holds, and what its trigger for JetStream does; trigger settings are texts. */
const keda = `
interface ScaledObject {
  apiVersion: "keda.sh/v1alpha1";
  kind: "ScaledObject";
  metadata: import("kubernetes-types/meta/v1").ObjectMeta;
  spec: {
    scaleTargetRef: { apiVersion?: string; kind?: string; name: string; envSourceContainerName?: string };
    pollingInterval?: number;
    cooldownPeriod?: number;
    initialCooldownPeriod?: number;
    idleReplicaCount?: number;
    minReplicaCount?: number;
    maxReplicaCount?: number;
    fallback?: { failureThreshold: number; replicas: number; behavior?: string };
    triggers: {
      type: "nats-jetstream";
      name?: string;
      metricType?: "AverageValue" | "Value" | "Utilization";
      metadata: {
        natsServerMonitoringEndpoint: string;
        account: string;
        stream: string;
        consumer: string;
        lagThreshold?: string;
        activationLagThreshold?: string;
        useHttps?: "true" | "false";
      };
    }[];
  };
}`;

/** The documents of a file or of what kustomize makes. */
export function manifestsOf(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0] ?? new Error("no YAML");
    return document.toJS() as Manifest;
  });
}

/** A constant of the type that the manifest says it is. */
function constantOf({ apiVersion, kind }: Manifest, manifest: Manifest, n: number): string {
  const literal = JSON.stringify(manifest, null, 2);
  const named = "{ apiVersion: string; kind: string; metadata: { name: string } }";
  if (apiVersion === "keda.sh/v1alpha1" && kind === "ScaledObject") {
    return `export const m${n}: ScaledObject = ${literal};`;
  }
  const from = modules[apiVersion];
  if (from === undefined) return `export const m${n}: "unknown apiVersion ${apiVersion}" = ${literal};`;
  return `export const m${n}: import("${from}").${kind} & ${named} = ${literal};`;
}

/** What is wrong with the manifests, in the compiler's words; empty when nothing is. */
export function manifestFaults(manifests: readonly Manifest[]): readonly string[] {
  // Within the tree, where the compiler finds the types.
  mkdirSync(join(root, "build"), { recursive: true });
  const folder = mkdtempSync(join(root, "build", "kubernetes-"));
  try {
    const constants = manifests.map((manifest, n) => constantOf(manifest, manifest, n));
    writeFileSync(join(folder, "manifests.ts"), [keda, ...constants, ""].join("\n"));
    const options = ["--noEmit", "--strict", "--ignoreConfig", "--types", "", "--target", "es2024"];
    const tsc = join(root, "node_modules/.bin/tsc");
    const parameters = [...options, "--module", "preserve", join(folder, "manifests.ts")];
    const { status, stdout } = spawnSync(tsc, parameters, { cwd: root, encoding: "utf8" });
    if (status === 0) return [];
    return stdout.split("\n").filter((line) => line.trim() !== "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
