#!/usr/bin/env node
/** A plugin that keeps everything in a folder, so that one command finds what another has stored. For tests only. */
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";

import {
  defineObjectStore,
  defineVolumeSnapshotter,
  isJsonObject,
  oneOf,
  PluginError,
  text,
} from "@flotilla/sdk/plugin";
import type {
  ListQuery,
  ObjectDescription,
  ObjectRef,
  OpenedObjectStore,
  OpenedVolumeSnapshotter,
  PersistentVolume,
  PrefixQuery,
} from "@flotilla/sdk/plugin";
import { serve } from "@flotilla/sdk/server";

import { diskObjectPath } from "./disk-layout.ts";

class DiskObjectStore {
  readonly #folder: string;
  readonly #fault: string;

  constructor(folder: string, fault: string) {
    this.#folder = folder;
    this.#fault = fault;
  }

  async putObject(object: ObjectRef, body: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#fault === "put-contents" && object.key.endsWith(".tar.gz")) {
      for await (const chunk of body) void chunk;
      throw new PluginError(`put object "${object.key}": access denied`, { kind: "denied" });
    }
    const path = diskObjectPath(this.#folder, object.bucket, object.key);
    await mkdir(join(path, ".."), { recursive: true });
    await pipeline(Readable.from(body, { objectMode: false }), createWriteStream(`${path}.new`));
    await writeFile(`${path}.crc`, String(crc32(await readFile(`${path}.new`))));
    await rename(`${path}.new`, path);
  }

  async objectExists({ bucket, key }: ObjectRef): Promise<boolean> {
    return await Promise.resolve(existsSync(diskObjectPath(this.#folder, bucket, key)));
  }

  async *getObject(object: ObjectRef): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#fault === "crash-on-get" && object.key.endsWith(".tar.gz")) process.exit(7);
    const bytes = await this.#read(object);
    if (this.#fault === "lying" && object.key.endsWith(".tar.gz")) {
      yield Buffer.alloc(bytes.length, "x");
      return;
    }
    yield bytes.subarray(0, -1);
    if (this.#fault !== "blind" && String(crc32(bytes)) !== (await this.#recorded(object))) {
      throw new PluginError(`get object "${object.key}": its bytes differ from the recorded crc32`, {
        kind: "corrupt",
      });
    }
    yield bytes.subarray(-1);
  }

  async listCommonPrefixes({ bucket, prefix }: PrefixQuery): Promise<readonly string[]> {
    if (this.#fault === "no-list") {
      throw new PluginError(`list bucket "${bucket}": the bucket is gone`, { kind: "invalid-config" });
    }
    if (this.#fault === "silent") await new Promise(() => {});
    const keys = await this.listObjects({ bucket, prefix });
    const heads = keys.map((key) => key.slice(prefix.length)).filter((rest) => rest.includes("/"));
    return [...new Set(heads.map((rest) => `${prefix}${rest.slice(0, rest.indexOf("/") + 1)}`))];
  }

  async listObjects({ bucket, prefix }: ListQuery): Promise<readonly string[]> {
    const names = await readdir(join(this.#folder, bucket)).catch(() => []);
    const keys = names.filter((name) => !/\.(crc|new)$/.test(name)).map((name) => decodeURIComponent(name));
    return keys
      .filter((key) => key.startsWith(prefix))
      .toSorted()
      .toReversed();
  }

  async deleteObject({ bucket, key }: ObjectRef): Promise<void> {
    const path = diskObjectPath(this.#folder, bucket, key);
    for (const file of [path, `${path}.crc`]) await rm(file, { force: true });
  }

  async createSignedUrl({ key }: ObjectRef): Promise<string> {
    return await Promise.resolve(`file:${key}`);
  }

  async describeObject(object: ObjectRef): Promise<ObjectDescription> {
    const sizeBytes = BigInt((await this.#read(object)).length);
    const value = await this.#recorded(object);
    const checksum = value === "" ? undefined : { algorithm: "crc32", value, scope: "full-object" as const };
    return { sizeBytes, checksum, version: "1", lastModified: new Date(0), hold: "" };
  }

  async #read({ bucket, key }: ObjectRef): Promise<Buffer> {
    const path = diskObjectPath(this.#folder, bucket, key);
    if (!existsSync(path)) throw new PluginError(`get object "${key}": not found`, { kind: "not-found" });
    return await readFile(path);
  }

  async #recorded({ bucket, key }: ObjectRef): Promise<string> {
    return await readFile(`${diskObjectPath(this.#folder, bucket, key)}.crc`, "utf8");
  }
}

class DiskSnapshotter {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, "snapshots");
  }

  async createVolumeFromSnapshot({ snapshotId }: { readonly snapshotId: string }): Promise<string> {
    await this.describeSnapshot(snapshotId);
    return `vol-of-${snapshotId}`;
  }

  async getVolumeInfo(): Promise<{ readonly volumeType: string; readonly iops: bigint | undefined }> {
    return await Promise.resolve({ volumeType: "gp3", iops: 4000n });
  }

  async createSnapshot({ volumeId }: { readonly volumeId: string }): Promise<string> {
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, `snap-of-${volumeId}`), "completed");
    return `snap-of-${volumeId}`;
  }

  async deleteSnapshot(snapshotId: string): Promise<void> {
    await rm(join(this.#folder, snapshotId), { force: true });
  }

  async getVolumeId(volume: PersistentVolume): Promise<string> {
    const { spec } = volume;
    const csi = isJsonObject(spec) ? spec["csi"] : undefined;
    const handle = isJsonObject(csi) ? csi["volumeHandle"] : undefined;
    return await Promise.resolve(typeof handle === "string" ? handle : "");
  }

  async setVolumeId(volume: PersistentVolume, volumeHandle: string): Promise<PersistentVolume> {
    const { spec } = volume;
    return await Promise.resolve({
      ...volume,
      spec: { ...(isJsonObject(spec) ? spec : {}), csi: { driver: "disk", volumeHandle } },
    });
  }

  async describeSnapshot(snapshotId: string) {
    const file = join(this.#folder, snapshotId);
    if (!existsSync(file)) throw new PluginError(`snapshot ${snapshotId} not found`, { kind: "not-found" });
    const state = await readFile(file, "utf8");
    const volumeId = snapshotId.replace("snap-of-", "");
    return {
      snapshotId,
      volumeId,
      state,
      progressPercent: 50,
      volumeSizeBytes: 1n,
      encrypted: false,
      startedAt: undefined,
      tags: {},
    };
  }
}

const faults = ["none", "put-contents", "crash-on-get", "blind", "lying", "no-list", "silent"] as const;
const folder = text("Where everything is kept.", { required: true });
const server = { origin: "server" as const };

await serve({
  name: "flotilla-plugin-disk",
  version: "0.0.0-disk",
  implementations: [
    defineObjectStore({
      name: "velero.io/disk",
      config: {
        keys: {
          folder,
          fault: oneOf("How it misbehaves.", faults, { fallback: "none" }),
          bucket: text("The bucket.", { required: true, ...server }),
          prefix: text("The prefix.", server),
          caCert: text("Unused.", server),
          credentialsFile: text("Unused.", server),
        },
      },
      open: async (config): Promise<OpenedObjectStore> =>
        await Promise.resolve(new DiskObjectStore(config.folder, config.fault)),
    }),
    defineVolumeSnapshotter({
      name: "velero.io/disk",
      config: { keys: { folder, credentialsFile: text("Unused.", server) } },
      open: async (config): Promise<OpenedVolumeSnapshotter> =>
        await Promise.resolve(new DiskSnapshotter(config.folder)),
    }),
  ],
});
