// The settings of this device as a command finds them: on the command line, in `weir.yaml`, in the environment.

import { existsSync, readFileSync } from "node:fs";
import { WeirError } from "../errors.ts";
import { formatDiagnostics } from "../pipeline/format-diagnostics.ts";
import { type DeviceSettings, defaultSettings, withConnections, withFile } from "../worker/settings.ts";

export interface SettingsOptions {
  readonly nats: readonly string[];
  readonly config: string;
  readonly state?: string;
  readonly forget?: readonly string[];
  readonly askIngest?: boolean;
}

/** The device's settings: defaults, then weir.yaml, then the command line. */
export function settingsFor(options: SettingsOptions): DeviceSettings {
  let settings = defaultSettings(process.env);
  if (existsSync(options.config)) {
    const text = readFileSync(options.config, "utf8");
    const read = withFile(settings, options.config, text, {
      variables: process.env,
      file: (path) => (existsSync(path) ? readFileSync(path, "utf8").trimEnd() : null),
    });
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
    asksIngest: options.askIngest ?? settings.asksIngest,
  };
}
