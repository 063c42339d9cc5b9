import type { ClientCall, ObjectStoreClient } from "@flotilla/host";
import type { Finding } from "@flotilla/sdk/plugin";

import type { ObjectLocation } from "../location.ts";

const tries = 5;
// A backup of thousands of small objects takes a round trip for each: beyond this, hours.
const slowMs = 500;

/** How long the store takes to answer the smallest question, by the way that the server will take. */
export async function measureLatency(
  client: ObjectStoreClient,
  location: ObjectLocation,
  call: ClientCall,
): Promise<Finding> {
  const prefix = location.prefix === "" ? "" : `${location.prefix}/`;
  const object = { bucket: location.bucket, key: `${prefix}metadata/flotilla-check-latency` };
  const times: number[] = [];
  for (let count = 0; count < tries; count += 1) {
    const start = performance.now();
    await client.objectExists(object, call);
    times.push(performance.now() - start);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(tries / 2)] ?? 0;
  const detail = `${Math.round(median)} ms to an answer, the median of ${tries}`;
  return median < slowMs
    ? { severity: "ok", subject: "latency", detail, remedy: "" }
    : {
        severity: "advice",
        subject: "latency",
        detail,
        remedy: "use a bucket nearer to the cluster, or look for a slow proxy or name server",
      };
}
