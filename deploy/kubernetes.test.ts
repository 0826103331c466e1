// The Kubernetes manifests, without a cluster: what kustomize makes of each overlay is of the published types, hardened,
// hangs together, and its pipelines pass lint and their tests.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { field } from "../operators/sdk/index.ts";
import { startedPart } from "../runtime/testing/started.ts";
import {
  containerOf,
  filesOf,
  hasKubectl,
  kustomize,
  named,
  overlays,
  overlaysFolder,
  stateFolderOf,
  without,
  type WorkerSpec,
  workerOf,
} from "./kubernetes.fixture.ts";
import { manifestFaults, manifestsOf } from "./kubernetes-check.fixture.ts";

/** As it stands in a file of the cloud's overlay. */
interface WrittenPipeline {
  readonly source: {
    readonly nats: { readonly stream: string; readonly consumer: string };
    readonly time: { readonly lateness: string; readonly idle: string };
  };
  readonly steps: readonly { readonly window?: { readonly tumbling: string } }[];
}

describe("the check itself", () => {
  const good = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: one }
spec:
  selector: { matchLabels: { app: one } }
  template: { metadata: { labels: { app: one } }, spec: { containers: [{ name: one, image: one }] } }
`;

  const mistakes = [
    { from: "image: one", to: "image: one, imagePulPolicy: Never", told: '"imagePulPolicy"' },
    { from: "spec:\n", to: 'spec:\n  replicas: "2"\n', told: "'string' is not assignable to type 'number'" },
    { from: "  selector: { matchLabels: { app: one } }\n", to: "", told: "Property 'selector' is missing" },
    { from: "metadata: { name: one }", to: "metadata: {}", told: "Property 'name' is missing" },
    { from: "kind: Deployment", to: "kind: Deplyoment", told: "no exported member 'Deplyoment'" },
    { from: "apps/v1", to: "extensions/v1beta1", told: "unknown apiVersion extensions/v1beta1" },
  ];
  const scaled = {
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    metadata: { name: "one" },
    spec: { scaleTargetRef: { name: "one" }, maxReplicas: 3, triggers: [] },
  };

  it("finds unknown fields, wrong types, what is missing, and kinds that do not exist", () => {
    const wrong = mistakes.flatMap(({ from, to }) => {
      expect(good).toContain(from);
      return manifestsOf(good.replace(from, to));
    });
    const faults = manifestFaults([...manifestsOf(good), ...wrong, scaled]);
    for (const { told } of mistakes) expect(faults.join("\n")).toContain(told);
    expect(faults.join("\n")).toContain('"maxReplicas"');
    // One for each, and none for the one that is right.
    expect(faults.filter((line) => line.startsWith("build/"))).toHaveLength(mistakes.length + 1);
  });
});

it.skipIf(!hasKubectl)(`all overlays are of the types that Kubernetes publishes${without}`, () => {
  const all = overlays.flatMap((overlay) => kustomize(overlay));
  expect(all.length).toBeGreaterThan(15);
  expect(manifestFaults(all)).toEqual([]);
});

describe.skipIf(!hasKubectl).each(overlays)(`the overlay %s${without}`, (overlay) => {
  const manifests = hasKubectl ? kustomize(overlay) : [];

  it("lies in a namespace that refuses what is not hardened", () => {
    expect(named(manifests, "Namespace").metadata).toMatchObject({
      name: "weir",
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    });
    const elsewhere = manifests.filter(
      ({ kind, metadata }) => kind !== "Namespace" && metadata.namespace !== "weir",
    );
    expect(elsewhere).toEqual([]);
  });

  it("runs workers without root, capabilities and new privileges, on a root that is read-only, within limits", () => {
    const { containers, securityContext } = workerOf(manifests).template.spec;
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(containers).toHaveLength(1);
    for (const container of containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        privileged: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(container.resources.limits).toHaveProperty("memory");
    }
  });

  it("hangs together: labels, volumes and names that are referred to are there", () => {
    const worker = workerOf(manifests);
    const { labels } = worker.template.metadata;
    const selectors = [
      worker.selector.matchLabels,
      (named(manifests, "Service")["spec"] as { selector: object }).selector,
      (named(manifests, "PodDisruptionBudget")["spec"] as WorkerSpec).selector.matchLabels,
      (named(manifests, "NetworkPolicy")["spec"] as { podSelector: WorkerSpec["selector"] }).podSelector
        .matchLabels,
    ];
    for (const selector of selectors) {
      expect(Object.keys(selector).length).toBeGreaterThan(0);
      expect(labels).toMatchObject(selector);
    }
    expect(named(manifests, "Service").metadata.name).toBe(worker.serviceName);
    const { volumes, containers } = worker.template.spec;
    const claims = worker.volumeClaimTemplates.map(({ metadata }) => metadata.name);
    const there = [...volumes.map(({ name }) => name), ...claims];
    for (const { name } of containers.flatMap(({ volumeMounts }) => volumeMounts))
      expect(there).toContain(name);
    const maps = manifests.filter(({ kind }) => kind === "ConfigMap").map(({ metadata }) => metadata.name);
    const wanted = volumes.flatMap(({ configMap }) => (configMap === undefined ? [] : [configMap.name]));
    expect(wanted.sort()).toEqual(maps.sort());
    for (const scaled of manifests.filter(({ kind }) => kind === "ScaledObject")) {
      expect(scaled["spec"]).toMatchObject({
        scaleTargetRef: { apiVersion: "apps/v1", kind: "StatefulSet", name: "weir" },
      });
    }
  });

  it("keeps state in a folder on a volume of the worker's own, with room beside the rows that wait", () => {
    const container = containerOf(manifests);
    const state = stateFolderOf(container);
    const mount = container.volumeMounts.find(({ mountPath }) => state === mountPath);
    expect(mount).toBeDefined();
    expect(mount?.readOnly ?? false).toBe(false);
    const worker = workerOf(manifests);
    const claim = worker.volumeClaimTemplates.find(({ metadata }) => metadata.name === mount?.name);
    // No two pods share it.
    expect(claim?.spec.accessModes[0]).toMatch(/^ReadWriteOnce(Pod)?$/);
    const { outbox } = parse(filesOf(manifests, "weir-settings")["weir.yaml"] ?? "") as {
      readonly outbox: { readonly bytes: string };
    };
    const bytes = (text: string): number => field.size("").parse(text);
    // Kubernetes leaves out the B.
    const room = bytes(`${claim?.spec.resources.requests.storage}B`);
    expect(room).toBeGreaterThanOrEqual(2 * bytes(outbox.bytes));
  });

  it("lets nobody connect to a worker, and a worker only ask names and NATS", () => {
    const spec = named(manifests, "NetworkPolicy")["spec"] as {
      readonly ingress: readonly unknown[];
      readonly egress: readonly { readonly ports: readonly { readonly port: number }[] }[];
    };
    expect(spec).toMatchObject({ policyTypes: ["Ingress", "Egress"], ingress: [] });
    expect(spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([53, 53, 4222]);
  });

  it("holds no secret, and names connections that its pipelines use", () => {
    expect(manifests.filter(({ kind }) => kind === "Secret")).toEqual([]);
    const { nats } = parse(filesOf(manifests, "weir-settings")["weir.yaml"] ?? "") as {
      readonly nats: Readonly<Record<string, { readonly password: string }>>;
    };
    for (const { password } of Object.values(nats)) expect(password).toMatch(/^\$\{WEIR_\w+\}$/);
    const used = Object.values(filesOf(manifests, "weir-pipelines")).flatMap((text) =>
      [...text.matchAll(/\bto: (\w+)/g)].map(([, name]) => name),
    );
    expect(Object.keys(nats)).toEqual(expect.arrayContaining(used));
  });
});

describe.skipIf(!hasKubectl)(`what KEDA puts to sleep${without}`, () => {
  const manifests = hasKubectl ? kustomize("cloud") : [];
  const { cooldownPeriod = 0, triggers } = (
    hasKubectl ? named(manifests, "ScaledObject")["spec"] : { triggers: [] }
  ) as {
    readonly cooldownPeriod?: number;
    readonly triggers: readonly {
      readonly metadata: { readonly stream: string; readonly consumer: string };
    }[];
  };
  const pipelines = Object.values(hasKubectl ? filesOf(manifests, "weir-pipelines") : {}).map(
    (text) => parse(text) as WrittenPipeline,
  );

  it("has closed its windows by then, and reads by the consumers that wake it", () => {
    const ms = (text: string): number => field.duration("").parse(text);
    for (const { source, steps } of pipelines) {
      const windows = steps.map(({ window }) => ms(window?.tumbling ?? "0s"));
      const open = Math.max(...windows) + ms(source.time.lateness) + ms(source.time.idle);
      expect(cooldownPeriod * 1_000).toBeGreaterThan(open);
    }
    expect(triggers.map(({ metadata }) => `${metadata.stream} ${metadata.consumer}`)).toEqual(
      pipelines.map(({ source }) => `${source.nats.stream} ${source.nats.consumer}`),
    );
  });
});

describe.each(overlays)("the pipelines of the overlay %s", (overlay) => {
  it.each(["lint", "test"])("pass weir %s", (command) => {
    const program = fileURLToPath(startedPart("weir.js"));
    const files = join(overlaysFolder, overlay, "pipelines");
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, command, files], {
      encoding: "utf8",
    });
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: "" });
  });
});
