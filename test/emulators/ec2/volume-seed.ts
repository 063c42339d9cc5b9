import { parseVolumeType } from "./volume-rules.ts";
import type { VolumeSeed } from "./start-ec2.ts";

const known = new Set(["id", "zone", "type", "sizeGiB", "iops", "throughput", "kmsKeyId"]);

/** Reads a volume from a command line: `id=vol-…,zone=us-east-1a,type=gp3,sizeGiB=8,tag:Name=db`. */
export function readVolumeSeed(text: string): VolumeSeed {
  const fields = new Map<string, string>();
  const tags: Record<string, string> = {};
  for (const pair of text.split(",")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    const value = pair.slice(at + 1);
    if (at > 4 && name.startsWith("tag:")) tags[name.slice(4)] = value;
    else if (at > 0 && known.has(name)) fields.set(name, value);
    else throw new Error(`--volume: ${pair} is not one of ${[...known].join("=, ")}=, tag:KEY=`);
  }
  const zone = fields.get("zone");
  const sizeGiB = readNumber(fields, "sizeGiB");
  if (zone === undefined || sizeGiB === undefined) throw new Error(`--volume ${text}: zone and sizeGiB are required`);
  const id = fields.get("id");
  const iops = readNumber(fields, "iops");
  const throughput = readNumber(fields, "throughput");
  const kmsKeyId = fields.get("kmsKeyId");
  return {
    zone,
    sizeGiB,
    type: parseVolumeType(fields.get("type") ?? "gp3"),
    tags,
    ...(id === undefined ? {} : { id }),
    ...(iops === undefined ? {} : { iops }),
    ...(throughput === undefined ? {} : { throughput }),
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
  };
}

function readNumber(fields: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = fields.get(name);
  if (value === undefined || value === "") return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  throw new Error(`--volume: ${name}=${value} is not a number`);
}
