// The overlays for Kubernetes as kustomize renders them, for tests: their manifests, the worker in them, and its files laid out
// in a folder as its pod would see them. Never speaks to a cluster.

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Manifest, manifestsOf } from "./kubernetes-check.fixture.ts";

export const overlaysFolder: string = join(import.meta.dirname, "kubernetes/overlays");
export const overlays: readonly string[] = readdirSync(overlaysFolder);
export const hasKubectl: boolean = spawnSync("kubectl", ["version", "--client"]).status === 0;
export const without: string = hasKubectl
  ? ""
  : " (skipped: kubectl is not here; https://kubernetes.io/docs/tasks/tools)";

interface Probe {
  readonly exec: { readonly command: readonly string[] };
}

export interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: unknown;
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

export interface WorkerSpec {
  readonly replicas: number;
  readonly serviceName: string;
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly securityContext: unknown;
      readonly containers: readonly Container[];
      readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
    };
  };
  readonly volumeClaimTemplates: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: {
      readonly accessModes: readonly string[];
      readonly resources: { readonly requests: { readonly storage: string } };
    };
  }[];
}

export function kustomize(overlay: string): readonly Manifest[] {
  const { status, stdout, stderr } = spawnSync("kubectl", ["kustomize", join(overlaysFolder, overlay)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`kustomize ${overlay}: ${stderr}`);
  return manifestsOf(stdout);
}

export function named(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

export function workerOf(manifests: readonly Manifest[]): WorkerSpec {
  return named(manifests, "StatefulSet")["spec"] as WorkerSpec;
}

export function containerOf(manifests: readonly Manifest[]): Container {
  const [only] = workerOf(manifests).template.spec.containers;
  if (only === undefined) throw new Error("the worker has no container");
  return only;
}

/** The files of a config map whose name begins so. */
export function filesOf(manifests: readonly Manifest[], name: string): Readonly<Record<string, string>> {
  const found = manifests.find(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith(name),
  );
  if (found === undefined) throw new Error(`there is no config map ${name}`);
  return found["data"] as Readonly<Record<string, string>>;
}

/** Where the command keeps state; undefined where it keeps none. */
export function stateFolderOf({ args }: Container): string | undefined {
  const place = args.indexOf("--state");
  return place < 0 ? undefined : args[place + 1];
}

/** Lays out pipelines/ and weir.yaml in a folder; gives back what the container is told, its state in a folder beside them. */
export function layOut(manifests: readonly Manifest[], folder: string): readonly string[] {
  mkdirSync(join(folder, "pipelines"), { recursive: true });
  for (const [file, text] of Object.entries(filesOf(manifests, "weir-pipelines")))
    writeFileSync(join(folder, "pipelines", file), text);
  for (const [file, text] of Object.entries(filesOf(manifests, "weir-settings")))
    writeFileSync(join(folder, file), text);
  const container = containerOf(manifests);
  const state = stateFolderOf(container);
  return container.args.map((each) => (each === state ? join(folder, "state") : each));
}
