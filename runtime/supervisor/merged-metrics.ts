// The metrics of all workers of a host as one text of OpenMetrics, each sample with its worker's name. Pure: takes texts as the
// workers wrote them, and knows none of the names in them.

interface Family {
  /** The lines that say what it is: `# TYPE`, `# HELP`. */
  readonly about: Set<string>;
  readonly samples: string[];
}

/** `texts`: by worker, what it answers to `/metrics`. Samples of one family stand together, as the format wants it. */
export function mergedMetrics(texts: ReadonlyMap<string, string>): string {
  const families = new Map<string, Family>();
  for (const [worker, text] of texts) {
    let family: Family | null = null;
    for (const line of text.split("\n")) {
      const [, name] = /^# (?:TYPE|HELP) (\S+) /.exec(line) ?? [];
      if (name !== undefined) {
        family = families.get(name) ?? { about: new Set(), samples: [] };
        families.set(name, family);
        family.about.add(line);
      } else if (line !== "" && line !== "# EOF") family?.samples.push(withWorker(line, worker));
    }
  }
  const lines = [...families.values()].flatMap(({ about, samples }) => [...about, ...samples]);
  return [...lines, "# EOF", ""].join("\n");
}

/** Names of workers need no escaping: see worker-name.ts. */
function withWorker(sample: string, worker: string): string {
  const label = `worker="${worker}"`;
  const name = /^[a-zA-Z_:][\w:]*/.exec(sample)?.[0] ?? "";
  const rest = sample.slice(name.length);
  return rest.startsWith("{") ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`;
}
