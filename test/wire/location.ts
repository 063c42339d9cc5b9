import { open, truncate } from "node:fs/promises";

import type { ClientCall, ObjectStoreClient } from "@flotilla/host";
import type { ObjectDescription, ObjectRef } from "@flotilla/sdk/plugin";

import { collect, inChunks } from "./bytes.ts";

/** An opened BackupStorageLocation with a bucket that belongs to one test, and the files below the stand-in. */
export class Location {
  readonly store: ObjectStoreClient;
  readonly bucket: string;
  readonly #dataFile: (key: string) => string;

  /** `dataFile` finds the file in which the stand-in keeps the bytes of a key. */
  constructor(store: ObjectStoreClient, bucket: string, dataFile: (key: string) => string) {
    this.store = store;
    this.bucket = bucket;
    this.#dataFile = dataFile;
  }

  /** The object of a key. */
  at(key: string): ObjectRef {
    return { bucket: this.bucket, key };
  }

  async put(key: string, bytes: Uint8Array, call?: ClientCall): Promise<void> {
    await this.store.putObject(this.at(key), inChunks(bytes), call);
  }

  async get(key: string): Promise<Buffer> {
    return await collect(this.store.getObject(this.at(key)));
  }

  async exists(key: string): Promise<boolean> {
    return await this.store.objectExists(this.at(key));
  }

  async list(prefix = ""): Promise<readonly string[]> {
    return await this.store.listObjects({ bucket: this.bucket, prefix });
  }

  async describe(key: string): Promise<ObjectDescription> {
    return await this.store.describeObject(this.at(key));
  }

  /** Flips one bit of the stored bytes below the store, which keeps its recorded checksum. */
  async flipBit(key: string, position: number): Promise<void> {
    const file = await open(this.#dataFile(key), "r+");
    try {
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, position);
      byte.writeUInt8(byte.readUInt8() ^ 1);
      await file.write(byte, 0, 1, position);
    } finally {
      await file.close();
    }
  }

  /** Cuts the stored bytes short below the store. */
  async truncate(key: string, sizeBytes: number): Promise<void> {
    await truncate(this.#dataFile(key), sizeBytes);
  }
}
