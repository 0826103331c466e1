// What deploy/setup-faults.mjs exports.

export function prepareFaultTools(
  env: Readonly<Record<string, string | undefined>>,
  actions: {
    readonly say: (message: string) => void;
    readonly run: (
      program: string,
      parameters: string[],
      options: { readonly env: NodeJS.ProcessEnv },
    ) => void;
  },
  user?: number,
  isThere?: (name: string) => boolean,
): void;
