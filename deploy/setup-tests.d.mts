// What deploy/setup-tests.mjs exports.

export function prepareTestTools(
  env: Readonly<Record<string, string | undefined>>,
  actions: {
    readonly say: (message: string) => void;
    readonly run: (
      program: string,
      parameters: string[],
      options: { readonly env: NodeJS.ProcessEnv; readonly cwd?: string },
    ) => void;
  },
  folder: string,
  user?: number,
  isThere?: (name: string) => boolean,
): void;
