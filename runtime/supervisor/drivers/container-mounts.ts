// A supervisor that is a container itself asks its engine for folders, and the engine knows them by their place on the host: what
// is mounted where says which that is. Pure.

import { WeirError } from "../../errors.ts";
import type { WorkerSpec } from "../driver.ts";
import type { ContainerMount } from "./engine-answers.ts";

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** The place on the host of a path inside a container; null where it is on no mount. */
export function placeOnHost(path: string, mounts: readonly ContainerMount[]): string | null {
  const over = mounts.filter(({ Destination }) => isWithin(path, Destination));
  const [nearest] = over.sort((a, b) => b.Destination.length - a.Destination.length);
  if (nearest === undefined) return null;
  return `${nearest.Source.replace(/\/+$/, "")}${path.slice(nearest.Destination.replace(/\/+$/, "").length)}`;
}

/** The worker with its folders by their places on the host; null mounts: the supervisor sees the host as it is. */
export function specOnHost(spec: WorkerSpec, mounts: readonly ContainerMount[] | null): WorkerSpec {
  if (mounts === null) return spec;
  const folders = spec.folders.map((folder) => {
    const host = placeOnHost(folder.host, mounts);
    if (host !== null) return { ...folder, host };
    throw new WeirError(
      "WEIR_WORKER_REFUSED",
      `worker ${spec.name}: ${folder.host} is in the supervisor's own container only`,
      { remedy: "mount a folder or a volume there, which its workers can be given as well" },
    );
  });
  return { ...spec, folders };
}
