import { randomBytes } from "node:crypto";
import type { BlockBlobClient } from "@azure/storage-blob";
import type { BlobUpload, Checksum, CompletedUpload, UploadedPart } from "@flotilla/sdk/objects";
import type { Call } from "@flotilla/sdk/plugin";
import { objectAttempt } from "./azure-blob-attempts.ts";
import type { AzureBlobSession, SendOptions } from "./azure-blob-session.ts";
import type { AzureBlobSettings } from "./azure-blob-settings.ts";

/** What the upload of one key needs. */
export interface AzureBlobUploadOptions {
  readonly session: AzureBlobSession;
  readonly key: string;
  readonly settings: AzureBlobSettings;
}

/**
 * An upload of blocks. Nothing is asked of the service before the first one, and nothing is visible before the list of
 * exactly these blocks is committed.
 */
export class AzureBlobUpload implements BlobUpload {
  readonly #options: AzureBlobUploadOptions;
  readonly #blockId = blockIds();

  constructor(options: AzureBlobUploadOptions) {
    this.#options = options;
  }

  async putPart(number: number, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<UploadedPart> {
    const token = this.#blockId(number);
    await this.#run(`upload block ${number} of`, call, async (blob, options) => {
      await blob.stageBlock(token, asBuffer(body), body.byteLength, {
        ...options,
        ...md5Field(checksum),
        ...this.#options.settings.writing,
      });
    });
    return { number, sizeBytes: body.byteLength, checksum, token };
  }

  async complete({ parts, checksum }: CompletedUpload, call: Call): Promise<void> {
    const { newObject, writing } = this.#options.settings;
    // Asked twice after a lost answer, it finds its blocks committed and says so once more.
    await this.#run("commit the blocks of", call, async (blob, options) => {
      await blob.commitBlockList(
        parts.map(({ token }) => token),
        { ...options, ...contentMd5Field(checksum), ...newObject, ...writing },
      );
    });
  }

  async abort(): Promise<void> {
    // The service has no request that drops blocks and leaves the object that may be there. They are never visible, are
    // dropped with the next commit of the same key, and vanish by themselves after a week.
  }

  async #run(
    verb: string,
    call: Call,
    operation: (blob: BlockBlobClient, options: SendOptions) => Promise<void>,
  ): Promise<void> {
    const { session, key } = this.#options;
    await session.run(objectAttempt(verb, session.bucket, key), call, async (client, options) => {
      await operation(client.getBlockBlobClient(key), options);
    });
  }
}

/** The field of a request whose body has this MD5: the service compares it. */
export function md5Field(checksum: Checksum | undefined): { readonly transactionalContentMD5?: Uint8Array } {
  return checksum === undefined ? {} : { transactionalContentMD5: checksum.bytes };
}

/** The field that the service keeps with the object. */
export function contentMd5Field(checksum: Checksum | undefined): {
  readonly blobHTTPHeaders?: { readonly blobContentMD5: Uint8Array };
} {
  return checksum === undefined ? {} : { blobHTTPHeaders: { blobContentMD5: checksum.bytes } };
}

/** The same bytes as a Buffer: the SDK's client takes no other view of memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Makes the ids of one upload's blocks. Two uploads of one key never share an id, so that neither commits the other's
 * blocks. All ids of a key must have one length, those included that an interrupted upload left a moment or days ago or
 * that the object is made of: it is therefore the official plugin's, six bytes, since its numbers of eight digits are
 * taken for base64 as they are. Numbers begin with a digit, and a first byte below 128 with a letter.
 */
export function blockIds(): (number: number) => string {
  const upload = randomBytes(4);
  upload.writeUInt8(upload.readUInt8() & 0x7f);
  return (number) => {
    const id = Buffer.alloc(6);
    upload.copy(id);
    id.writeUInt16BE(number, upload.length);
    return id.toString("base64");
  };
}
