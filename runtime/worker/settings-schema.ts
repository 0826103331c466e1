// The JSON Schema of weir.yaml, for editors: of the same declarations that it is read by. Never validates a file itself.

import { type JsonSchema, settingSchema } from "../pipeline/json-schema.ts";
import { deviceSetting } from "./settings-spec.ts";

/** Of draft 7. */
export function deviceJsonSchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "weir device",
    ...settingSchema(deviceSetting),
  };
}
