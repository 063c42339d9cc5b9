import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { readSlice } from "../file-slice.ts";
import { writeAtomically } from "../versioned-files.ts";
import { HashMeter } from "./hashes.ts";
import type { Hashes } from "./hashes.ts";
import type { ObjectEncryption, ObjectSettings } from "./object-meta.ts";

/** What is kept of an upload. */
export interface SessionRecord {
  readonly id: string;
  readonly bucket: string;
  readonly name: string;
  readonly settings: ObjectSettings;
  readonly encryption: ObjectEncryption;
  readonly storageClass?: string;
  /** What the client said of the hashes when it began. */
  readonly claims: Partial<Hashes>;
  readonly conditions: Readonly<Record<string, string>>;
  /** What X-Upload-Content-Length announced. */
  readonly announcedSize?: number;
  readonly startedMs: number;
  /** Who began it: its permissions count until the end. */
  readonly member: string;
  /** The bytes that have been kept. */
  readonly size: number;
  readonly state: "open" | "done" | "cancelled" | "failed";
  /** The generation that it became. */
  readonly generation?: string;
}

/** The service keeps what arrives in units of this size; the rest of an interrupted request is lost. */
export const quantum = 256 * 1024;

/** A resumable upload: the bytes that have been kept, and their hashes. */
export class UploadSession {
  readonly #folder: string;
  #record: SessionRecord;
  #meter: HashMeter | undefined;
  #epoch = 0;

  constructor(record: SessionRecord, folder: string) {
    this.#record = record;
    this.#folder = folder;
    if (record.size === 0) this.#meter = new HashMeter();
  }

  get record(): SessionRecord {
    return this.#record;
  }

  get size(): number {
    return this.#record.size;
  }

  get folder(): string {
    return this.#folder;
  }

  get dataPath(): string {
    return join(this.#folder, "data");
  }

  save(): void {
    writeAtomically(join(this.#folder, "session.json"), this.#record);
  }

  end(state: SessionRecord["state"], generation?: string): void {
    this.#epoch += 1;
    this.#record = { ...this.#record, state, ...(generation === undefined ? {} : { generation }) };
    this.save();
  }

  /**
   * Keeps what arrives behind the bytes that are kept already, whole units only; `keepRest` tells at the end whether what
   * is left belongs to the object. A request that comes later takes over: the earlier one keeps nothing more.
   */
  async append(chunks: AsyncIterable<Buffer>, keepRest: (received: number) => boolean): Promise<void> {
    this.#epoch += 1;
    const epoch = this.#epoch;
    await this.#restoreMeter();
    const file = await open(this.dataPath, existsSync(this.dataPath) ? "r+" : "w+");
    let waiting: Buffer[] = [];
    let waitingBytes = 0;
    let received = 0;
    try {
      for await (const chunk of chunks) {
        received += chunk.length;
        waiting.push(chunk);
        waitingBytes += chunk.length;
        if (waitingBytes < quantum) continue;
        const all = Buffer.concat(waiting);
        const whole = all.length - (all.length % quantum);
        await this.#keep(file, all.subarray(0, whole), epoch);
        waiting = [all.subarray(whole)];
        waitingBytes = all.length - whole;
      }
      if (keepRest(received)) await this.#keep(file, Buffer.concat(waiting), epoch);
    } finally {
      await file.close();
      if (epoch === this.#epoch) this.save();
    }
  }

  /** Ends the hashing of what is kept. */
  async hashes(): Promise<Hashes> {
    await this.#restoreMeter();
    const meter = this.#meter ?? new HashMeter();
    this.#meter = undefined;
    return meter.digest();
  }

  async #keep(file: FileHandle, bytes: Buffer, epoch: number): Promise<void> {
    if (bytes.length === 0) return;
    if (epoch !== this.#epoch) throw new Error("a later request took over");
    await file.write(bytes, 0, bytes.length, this.size);
    if (epoch !== this.#epoch) throw new Error("a later request took over");
    this.#meter?.update(bytes);
    this.#record = { ...this.#record, size: this.size + bytes.length };
  }

  // After a restart, or after the hashes have been read once, the bytes on disk are all that is known.
  async #restoreMeter(): Promise<void> {
    if (this.#meter !== undefined) return;
    const meter = new HashMeter();
    for await (const chunk of readSlice({ path: this.dataPath, start: 0, length: this.size })) meter.update(chunk);
    this.#meter = meter;
  }
}
