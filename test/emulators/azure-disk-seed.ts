import type { DiskSku } from "./azure-arm/model.ts";
import type { DiskSeed } from "./azure-arm/seeds.ts";

const known = ["name", "resourceGroup", "location", "sku", "sizeGiB", "zone", "iops", "mbps"];

/** Reads a disk from a command line: `name=data,sku=Premium_LRS,sizeGiB=8,zone=1`. */
export function readDiskSeed(text: string): DiskSeed {
  const fields = new Map<string, string>();
  for (const pair of text.split(",")) {
    const at = pair.indexOf("=");
    if (!known.includes(pair.slice(0, at))) throw new Error(`--disk: ${pair} is not one of ${known.join("=, ")}=`);
    fields.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const name = fields.get("name");
  if (name === undefined) throw new Error(`--disk ${text}: name is required`);
  const texts = ["resourceGroup", "location"].flatMap((key) => entry(key, fields.get(key)));
  const numbers = ["sizeGiB", "iops", "mbps"].flatMap((key) => entry(key, number(key, fields.get(key))));
  const zone = fields.get("zone");
  return {
    name,
    ...Object.fromEntries([...texts, ...numbers]),
    // The stand-in refuses a name that is none.
    ...(fields.has("sku") ? { sku: fields.get("sku") as DiskSku } : {}),
    ...(zone === undefined ? {} : { zones: [zone] }),
  };
}

function entry<T>(key: string, value: T | undefined): readonly (readonly [string, T])[] {
  return value === undefined ? [] : [[key, value]];
}

function number(key: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`--disk: ${key}=${text} is not a number`);
}
