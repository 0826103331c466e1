// The subjects of devices and their control centre, and what stands for all devices. Names only.

/** In the place of a host: what is wanted of whichever device fits. A control centre finds one. */
export const fleet = "fleet";

/** Where a host tells what happens there, as JSON; and where it answers with its status. */
export const eventSubject = (host: string): string => `weir.event.${host}`;
export const statusSubject = (host: string): string => `weir.status.${host}`;

/** Where a device answers its users. */
export const deviceSubject = (host: string, verb: "deploy" | "remove" | "status"): string =>
  `weir.device.${host}.${verb}`;

/** Where the control centre tells what it does, and where it confirms. */
export const controlEvents = "weir.event.control";
export const confirmSubject = "weir.control.deploy";
