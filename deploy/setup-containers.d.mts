// What deploy/setup-containers.mjs exports.

interface Actions {
  readonly say: (message: string) => void;
  readonly run: (program: string, parameters: string[], options: { readonly env: NodeJS.ProcessEnv }) => void;
}

export function engineDecision(
  env: Readonly<Record<string, string | undefined>>,
  user: number | undefined,
  isThere: (name: string) => boolean,
): { readonly action: "nothing" | "install" | "without"; readonly why: string };

export function prepareContainers(
  env: Readonly<Record<string, string | undefined>>,
  actions: Actions,
  user?: number,
  isThere?: (name: string) => boolean,
): void;
