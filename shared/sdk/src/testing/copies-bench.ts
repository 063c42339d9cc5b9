import assert from "node:assert/strict";
import { driverObjectStore } from "../objects/index.ts";
import { PluginError } from "../plugin/index.ts";
import { FaultyBlobDriver } from "./faulty-blob-driver.ts";
import { MemoryBlobDriver } from "./memory-blob-driver.ts";
import { chunksOf, sampleBytes } from "./streams.ts";
import { TestClock } from "./test-clock.ts";
import type { BlobDriver } from "../objects/index.ts";
import type { Call, CopyMode, LogFields, ObjectInspector, ObjectStore } from "../plugin/index.ts";
import type { Fault, FaultAction } from "./faulty-blob-driver.ts";
import type { MemoryBlobOptions } from "./memory-blob-driver.ts";

const memoryLimitBytes = 64 * 1024;
/** Held back whole when it is read. */
export const small = sampleBytes(5000);
/** Above a quarter of the memory: read twice. */
export const large = sampleBytes(50_000);
/** The object that most tests are about, and its key in the place of its copy. */
export const ref = { bucket: "b", key: "velero/backups/a/a.json" };
/** See {@link ref}. */
export const copyKey = "there/backups/a/a.json";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** What goes wrong, and how the stores differ. */
export interface BenchOptions {
  readonly primary?: readonly Fault[];
  readonly copy?: readonly Fault[];
  readonly mode?: CopyMode;
  readonly store?: MemoryBlobOptions;
  readonly target?: MemoryBlobOptions;
}

/** A location with one copy, both in memory. */
export interface Bench {
  readonly store: ObjectStore & ObjectInspector;
  readonly primary: MemoryBlobDriver;
  readonly copy: MemoryBlobDriver;
  readonly asked: { readonly primary: FaultyBlobDriver; readonly copy: FaultyBlobDriver };
  readonly clock: TestClock;
  readonly call: Call;
  readonly lines: Line[];
  /** Faults that begin now. */
  lose(place: "primary" | "copy"): void;
}

/** What a service answers that is out of order. */
export const outage: FaultAction = {
  does: "fail",
  error: new PluginError("the service failed", { kind: "unavailable" }),
};
const allRequests = ["stat", "read", "readRange", "put", "list", "remove", "sign", "startUpload", "copyFrom"] as const;

/** Opens a location with its copy. */
export function bench(options: BenchOptions = {}): Bench {
  const primary = new MemoryBlobDriver({ chunkBytes: 1000, ...options.store });
  const copy = new MemoryBlobDriver({ chunkBytes: 1000, sources: { b: primary }, ...options.target });
  const faults = { primary: [...(options.primary ?? [])], copy: [...(options.copy ?? [])] };
  const asked = {
    primary: new FaultyBlobDriver(primary, faults.primary),
    copy: new FaultyBlobDriver(copy, faults.copy),
  };
  const clock = new TestClock({ skipsSleep: true });
  const lines: Line[] = [];
  const logAs = (level: string) => (message: string, fields?: LogFields) => void lines.push({ level, message, fields });
  const log = { debug: logAs("debug"), info: logAs("info"), warn: logAs("warn"), error: logAs("error") };
  const place = { name: "s3://c/there", bucket: "c", prefix: "there", mode: options.mode ?? "required" } as const;
  const copies = {
    root: { bucket: "b", prefix: "velero" },
    places: [{ ...place, open: async (): Promise<BlobDriver> => asked.copy }],
  };
  const openDriver = (): BlobDriver => asked.primary;
  return {
    store: driverObjectStore({ openDriver, memoryLimitBytes, clock, random: () => 0, copies }),
    primary,
    copy,
    asked,
    clock,
    lines,
    call: { signal: new AbortController().signal, log },
    lose: (which) => faults[which].push(...allRequests.map((on) => ({ on, action: outage }))),
  };
}

/** Stores the object. */
export async function put({ store, call }: Bench, bytes: Buffer): Promise<void> {
  await store.putObject(ref, chunksOf(bytes, 777), call);
}

/** Flips a bit below the store's recorded checksum. */
export function damage(driver: MemoryBlobDriver, key: string, atByte: number): void {
  const object = driver.objects.get(key);
  assert.ok(object);
  object.bytes[atByte] = (object.bytes[atByte] ?? 0) ^ 1;
}

/** The lines that the server would count. */
export function warnings({ lines }: Bench): readonly Line[] {
  return lines.filter(({ level }) => level === "warn" || level === "error");
}

/** Whether nothing is left open. */
export function isIdle({ openUploads, openBodies }: MemoryBlobDriver): boolean {
  return openUploads.size === 0 && openBodies === 0;
}
