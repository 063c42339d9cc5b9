import type { FaultHandle, Faults } from "../emulators/faults.ts";
import { until } from "./until.ts";

/** A stand-in that a plugin reads from. */
export interface ReadStore {
  readonly faults: Faults;
  /** The API's name of a read. */
  readonly operation: string;
  readonly bucket: string;
  readonly requestsOf: (bucket: string, operation: string) => readonly unknown[];
}

/** Makes a store seem far away: the next answer's body begins only when others were asked for the rest of the object. */
export function holdFirstAnswer({ faults, operation, bucket, requestsOf }: ReadStore): FaultHandle {
  const before = requestsOf(bucket, operation).length;
  const asked = until("others are asked for the rest", () => requestsOf(bucket, operation).length > before + 1);
  return faults.add({ kind: "hold-response", until: asked }, { bucket, operation });
}
