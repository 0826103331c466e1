// The time zone that was probably meant by a name that is none: one that is written almost so, or whose place is. Never says
// whether a name is one.

import { nearName } from "./near-name.ts";

/** `Europe/Berlin` for `Europe/Berln`, `europe/berlin`, `Berlin` and `Berln`; undefined when none is near. */
export function nearZone(name: string): string | undefined {
  const zones = Intl.supportedValuesOf("timeZone");
  const wanted = name.trim().replaceAll(" ", "_");
  const whole = nearName(wanted, zones);
  if (whole !== undefined) return whole;
  // Of the places of one name, which are few, the first.
  const byPlace = new Map(
    zones.map((zone) => [zone.slice(zone.lastIndexOf("/") + 1), zone] as const).reverse(),
  );
  const place = nearName(wanted.slice(wanted.lastIndexOf("/") + 1), byPlace.keys());
  return place === undefined ? undefined : byPlace.get(place);
}
