// The settings of this device as a command finds them: on the command line, in `weir.yaml`, in the environment.

import { existsSync } from "node:fs";
import { readBounded } from "../bounded-file.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { formatDiagnostics } from "../pipeline/format-diagnostics.ts";
import type { Diagnostic } from "../pipeline/pipeline.ts";
import { type DeviceSettings, defaultSettings, withConnections, withFile } from "../worker/settings.ts";

export interface SettingsOptions {
  readonly nats: readonly string[];
  readonly config: string;
  readonly state?: string;
  readonly forget?: readonly string[];
  readonly acceptLoss?: readonly string[];
  readonly askIngest?: boolean;
}

/** The settings of a file on top of others, its text, and every mistake in it. */
export function readSettings(
  file: string,
  base: DeviceSettings = defaultSettings(process.env),
): {
  readonly settings: DeviceSettings;
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
} {
  if (!existsSync(file)) {
    throw new WeirError("WEIR_FILE", `there is no ${file}`, {
      remedy: "name the file with the device's settings",
    });
  }
  const text = settingsText(file);
  return { ...withFile(base, file, text, { variables: process.env, file: valueIn }), text };
}

function settingsText(file: string): string {
  try {
    return readBounded(file, limits.config_bytes_max).toString("utf8");
  } catch (error) {
    throw new WeirError("WEIR_FILE", `cannot read ${file}: ${messageOf(error)}`, {
      remedy: "name a file with the device's settings that this user may read",
      cause: error,
    });
  }
}

/** What `${file:path}` stands for; null where there is no file that may be read. */
function valueIn(path: string): string | null {
  try {
    return readBounded(path, limits.interpolated_value_bytes_max).toString("utf8").trimEnd();
  } catch {
    return null;
  }
}

/** The device's settings: defaults, then weir.yaml, then the command line. */
export function settingsFor(options: SettingsOptions): DeviceSettings {
  let settings = defaultSettings(process.env);
  if (existsSync(options.config)) {
    const { text, ...read } = readSettings(options.config, settings);
    if (read.diagnostics.length > 0) {
      const shown = formatDiagnostics(read.diagnostics, { [options.config]: text }, { color: false });
      throw new WeirError("WEIR_CONFIG", `${options.config} is wrong\n${shown}`);
    }
    settings = read.settings;
  } else if (options.config !== "weir.yaml") {
    throw new WeirError("WEIR_FILE", `there is no ${options.config}`, {
      remedy: "name the device's settings with --config",
    });
  }
  settings = withConnections(settings, options.nats);
  return {
    ...settings,
    state: options.state ?? settings.state,
    forget: options.forget ?? settings.forget,
    acceptLoss: options.acceptLoss ?? settings.acceptLoss,
    asksIngest: options.askIngest ?? settings.asksIngest,
  };
}
