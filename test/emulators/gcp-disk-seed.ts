import type { GceDiskSeed } from "./gce/seeds.ts";

const known = ["name", "project", "zone", "replicaZone", "type", "sizeGb", "iops", "throughput"];
const numeric = ["sizeGb", "iops", "throughput"];

/** Reads a disk from a command line: `name=data,type=pd-ssd,sizeGb=20,zone=us-central1-a`; with `replicaZone` it is a regional one. */
export function readGceDiskSeed(text: string): GceDiskSeed {
  const fields = new Map<string, string>();
  for (const pair of text.split(",")) {
    const at = pair.indexOf("=");
    if (!known.includes(pair.slice(0, at))) throw new Error(`--disk: ${pair} is not one of ${known.join("=, ")}=`);
    fields.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const name = fields.get("name");
  if (name === undefined) throw new Error(`--disk ${text}: name is required`);
  const zone = fields.get("zone");
  const replicaZone = fields.get("replicaZone");
  if (replicaZone !== undefined && zone === undefined) throw new Error(`--disk ${text}: replicaZone needs zone`);
  const plain = [...fields].filter(([key]) => !["name", "replicaZone"].includes(key));
  return {
    name,
    ...Object.fromEntries(plain.map(([key, value]) => [key, numeric.includes(key) ? number(key, value) : value])),
    ...(zone === undefined || replicaZone === undefined ? {} : { replicaZones: [zone, replicaZone] }),
  };
}

function number(key: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`--disk: ${key}=${text} is not a number`);
}
