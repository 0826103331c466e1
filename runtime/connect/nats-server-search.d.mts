// The types of nats-server-search.mjs, which is plain JavaScript so that set-up can use it.

export declare const natsImage: string;
export declare function programInPath(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): string | null;
export declare function findNatsServerBinary(
  env: Readonly<Record<string, string | undefined>>,
): string | null;
export declare function findContainerEngine(
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null>;
export declare function installLines(
  platform: string,
  isThere?: (manager: string) => boolean,
): readonly string[];
