// Labels of devices, and pipelines that ask for some. Pure.

export type Labels = Readonly<Record<string, string>>;

/** Whether a device has all labels that are asked for. */
export function hasLabels(labels: Labels, wanted: Labels): boolean {
  for (const name in wanted) if (labels[name] !== wanted[name]) return false;
  return true;
}

/** `site=north, line=b`. */
export function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}
