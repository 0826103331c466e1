// The subjects of devices and their control centre, and what stands for all devices. Names only.

/** In the place of a host: what is wanted of whichever device fits. A control centre finds one. */
export const fleet = "fleet";

/** Where a host tells what happens there, as JSON; and where it answers with its status. */
export const eventSubject = (host: string): string => `weir.event.${host}`;
export const statusSubject = (host: string): string => `weir.status.${host}`;

/** Where a device says how it fares. */
export const deviceStatusSubject = (host: string): string => `weir.device.${host}.status`;

/**
 * Where a device is asked by a user. Who asks is the subject's last word: a server lets each user publish under the own
 * name only, so that it is the server who vouches for it, and not the request. `*`: whoever asks.
 */
export const deviceSubject = (host: string, verb: "deploy" | "remove", user: string): string =>
  `weir.device.${host}.${verb}.${user}`;

/** Where the control centre tells what it does, and where it confirms what a device asks; `*`: any device. */
export const controlEvents = "weir.event.control";
export const confirmSubject = (device: string): string => `weir.control.deploy.${device}`;

/** Where a user asks the control centre for another device; who asks is the last word, as above. */
export const moveSubject = (user: string): string => `weir.control.move.${user}`;

/** Who asks on a subject that ends with that. */
export const lastWord = (subject: string): string => subject.slice(subject.lastIndexOf(".") + 1);
