import { randomBytes } from "node:crypto";
import { createReadStream, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { writeAtomically } from "../versioned-files.ts";
import type { Algorithm, ChecksumType } from "./checksums.ts";
import { FileSink, fillSink } from "../file-sink.ts";
import type { ObjectAttributes } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

/** What was said when a multipart upload was created. */
export interface UploadInfo {
  readonly uploadId: string;
  readonly bucket: string;
  readonly key: string;
  readonly initiated: string;
  readonly owner: string;
  readonly attributes: ObjectAttributes;
  /** Undefined where the client named none; then parts may carry none and the object gets CRC64NVME. */
  readonly checksum?: { readonly algorithm: Algorithm; readonly type: ChecksumType } | undefined;
}

/** One uploaded part. */
export interface UploadedPart {
  readonly partNumber: number;
  readonly size: number;
  readonly etag: string;
  /** Base64, of the upload's algorithm. */
  readonly checksum: string;
  readonly lastModified: string;
  readonly file: string;
  readonly offset: number;
}

/** Where a part that is under way is written. */
export interface PartPlace {
  readonly path: string;
  readonly file: string;
  readonly offset: number;
}

const slotsName = "slots";
// Beyond this a sparse file may be more than the file system allows.
const maxSlotEnd = 8 * 1024 ** 4;

/**
 * One multipart upload. Parts of equal size are written side by side into one file, which becomes the object without
 * being copied; a part that does not fit in gets a file of its own, and then completion copies.
 */
export class Upload {
  readonly info: UploadInfo;
  readonly parts = new Map<number, UploadedPart>();
  readonly #folder: string;
  readonly #busySlots = new Set<number>();
  #slotSize: number | undefined;

  constructor(info: UploadInfo, folder: string) {
    this.info = info;
    this.#folder = folder;
  }

  /** Reads an upload that an earlier run left. */
  static load(folder: string): Upload {
    // Both files are written by this class only.
    const upload = new Upload(JSON.parse(readFileSync(join(folder, "upload.json"), "utf8")) as UploadInfo, folder);
    for (const name of readdirSync(folder)) {
      if (!/^part-\d+\.json$/.test(name)) continue;
      const part = JSON.parse(readFileSync(join(folder, name), "utf8")) as UploadedPart;
      upload.parts.set(part.partNumber, part);
      if (part.file === slotsName && part.partNumber > 1) upload.#slotSize = part.offset / (part.partNumber - 1);
    }
    return upload;
  }

  save(): void {
    mkdirSync(this.#folder);
    writeAtomically(join(this.#folder, "upload.json"), this.info);
  }

  /** Reserves room for a part; `keep` or `giveUp` must follow. */
  reserve(partNumber: number, size: number): PartPlace {
    this.#slotSize ??= size > 0 ? size : undefined;
    const slotSize = this.#slotSize;
    const inSlot = this.parts.get(partNumber)?.file === slotsName || this.#busySlots.has(partNumber);
    if (slotSize !== undefined && size <= slotSize && !inSlot && partNumber * slotSize <= maxSlotEnd) {
      this.#busySlots.add(partNumber);
      return { path: join(this.#folder, slotsName), file: slotsName, offset: (partNumber - 1) * slotSize };
    }
    const file = `part-${partNumber}-${randomBytes(6).toString("hex")}`;
    return { path: join(this.#folder, file), file, offset: 0 };
  }

  /** Makes a part count, in place of an earlier one of the same number. */
  keep(part: UploadedPart): void {
    const before = this.parts.get(part.partNumber);
    writeAtomically(join(this.#folder, `part-${part.partNumber}.json`), part);
    this.parts.set(part.partNumber, part);
    if (part.file === slotsName) this.#busySlots.delete(part.partNumber);
    if (before !== undefined && before.file !== slotsName) rmSync(join(this.#folder, before.file), { force: true });
  }

  giveUp(partNumber: number, place: PartPlace): void {
    if (place.file === slotsName) this.#busySlots.delete(partNumber);
    else rmSync(place.path, { force: true });
  }

  /** Tells whether these parts already lie side by side, in order, with no writer left that could still touch them. */
  isAssembled(parts: readonly UploadedPart[]): boolean {
    let end = 0;
    for (const part of parts) {
      if (part.file !== slotsName || part.offset !== end) return false;
      end += part.size;
    }
    return this.#busySlots.size === 0;
  }

  /** Moves parts that are assembled to their destination, in one step. */
  moveTo(parts: readonly UploadedPart[], destination: string): void {
    const slots = join(this.#folder, slotsName);
    truncateSync(
      slots,
      parts.reduce((sum, part) => sum + part.size, 0),
    );
    renameSync(slots, destination);
  }

  /** Copies parts that are not assembled to their destination. */
  async copyTo(parts: readonly UploadedPart[], destination: string): Promise<void> {
    await fillSink(await FileSink.open(destination), async (sink) => {
      for (const part of parts) {
        if (part.size === 0) continue;
        const range = { start: part.offset, end: part.offset + part.size - 1, highWaterMark: 1024 * 1024 };
        // A stream without an encoding yields Buffers; node types them as any.
        for await (const chunk of createReadStream(join(this.#folder, part.file), range)) {
          await sink.write(chunk as Buffer);
        }
      }
    });
  }

  /** Removes the upload's files. */
  async destroy(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The multipart uploads that are under way. */
export class Uploads {
  readonly #root: string;
  readonly #byId = new Map<string, Upload>();

  constructor(root: string) {
    this.#root = root;
    for (const name of readdirSync(root)) {
      const upload = Upload.load(join(root, name));
      this.#byId.set(upload.info.uploadId, upload);
    }
  }

  create(info: Omit<UploadInfo, "uploadId">): Upload {
    const uploadId = randomBytes(24).toString("base64url");
    const upload = new Upload({ ...info, uploadId }, join(this.#root, uploadId));
    upload.save();
    this.#byId.set(uploadId, upload);
    return upload;
  }

  /** Returns an upload of a key; throws NoSuchUpload. */
  find(uploadId: string, bucket: string, key: string): Upload {
    const upload = this.#byId.get(uploadId);
    if (upload !== undefined && upload.info.bucket === bucket && upload.info.key === key) return upload;
    throw new S3Error("NoSuchUpload", undefined, { details: { UploadId: uploadId } });
  }

  isAlive(upload: Upload): boolean {
    return this.#byId.get(upload.info.uploadId) === upload;
  }

  inBucket(bucket: string): readonly Upload[] {
    return [...this.#byId.values()].filter((upload) => upload.info.bucket === bucket);
  }

  /** Forgets an upload at once and removes its files. */
  async remove(upload: Upload): Promise<void> {
    this.#byId.delete(upload.info.uploadId);
    await upload.destroy();
  }
}
