import { createHash, randomUUID } from "node:crypto";
import { guardGzip, nameOf } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, JsonObject, ObjectRef } from "@flotilla/sdk/plugin";
import { dataTags, recordTags } from "./object-tags.ts";
import type { ObjectRecord } from "./object-tags.ts";
import { ReplayableBody } from "./replayable-body.ts";
import type { Repository } from "./repository.ts";

/** What a backup answered. */
interface StoredData {
  /** Of the snapshot; its beginning only, with versions before 0.15. */
  readonly id: string;
  readonly sizeBytes: number;
}

/** An object's bytes in the repository, which nobody sees yet. */
export interface UploadedData {
  readonly upload: string;
  readonly content: NonNullable<ObjectRecord["content"]>;
  /** The snapshot; undefined for an empty object. */
  readonly dataId: string | undefined;
}

/** Records have the same bytes, name and hour, so that they share their tree and cost one small file each. */
const recordName = "flotilla-record";
const recordBody = Buffer.from("The tags of this snapshot describe an object; see flotilla.io/object.\n");
const hourMs = 3_600_000;

/** Stores the bytes of an object in a snapshot of their own, which alone shows nothing. */
export async function uploadData(
  repository: Repository,
  object: ObjectRef,
  body: AsyncIterable<Uint8Array>,
  call: Call,
): Promise<UploadedData> {
  const upload = randomUUID();
  const counted = new CountedBody(guardGzip(object, body));
  const input = new ReplayableBody(counted);
  try {
    // restic refuses an input without a byte.
    if (await input.isEmpty()) return { upload, content: counted.content(), dataId: undefined };
    const tags = dataTags(object, upload);
    const request = { action: `put ${nameOf(object)}`, name: dataName(object.key), tags, input };
    const stored = await backUp(repository, request, call);
    const content = counted.content();
    if (stored.sizeBytes !== content.sizeBytes)
      throw new PluginError(
        `put ${nameOf(object)}: restic stored ${stored.sizeBytes} of ${content.sizeBytes} bytes; nothing is visible of them`,
        { kind: "incomplete" },
      );
    return { upload, content, dataId: stored.id };
  } finally {
    await input.close();
  }
}

/** Stores the record that makes an object visible, or says that it is deleted. Resolves to the snapshot's id. */
export async function storeRecord(repository: Repository, record: ObjectRecord, call: Call): Promise<string> {
  const action = `${record.content === undefined ? "delete" : "put"} ${nameOf(record)}`;
  const hour = new Date(Math.floor(Date.now() / hourMs) * hourMs);
  const input = new ReplayableBody(once(recordBody));
  const request = { action, name: recordName, tags: recordTags(record), input, time: hour };
  return (await backUp(repository, request, call)).id;
}

/** The name of the file in the snapshot; one that a file system could hold too, so that people can restore it. */
export function dataName(key: string): string {
  const name = encodeURIComponent(key.slice(key.lastIndexOf("/") + 1)).slice(0, 200);
  return name === "" || /^\.+$/.test(name) ? "object" : name;
}

interface BackupRequest {
  readonly action: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly input: ReplayableBody;
  readonly time?: Date;
}

async function backUp(repository: Repository, backup: BackupRequest, call: Call): Promise<StoredData> {
  const { action, name, tags, input, time } = backup;
  let summary: StoredData | undefined;
  await repository.run(
    {
      action,
      args: [
        "backup",
        "--json",
        "--stdin",
        "--stdin-filename",
        name,
        ...(time === undefined ? [] : ["--time", localTime(time)]),
        ...tags.flatMap((tag) => ["--tag", tag]),
      ],
      lock: "append",
      input,
      onMessage: (message) => {
        summary = summaryOf(message) ?? summary;
      },
    },
    call,
  );
  if (summary !== undefined) return summary;
  throw new PluginError(`${action}: restic ended without a word about what it stored; nothing is visible of it`, {
    kind: "internal",
  });
}

function summaryOf(message: JsonObject): StoredData | undefined {
  const { message_type: type, snapshot_id: id, total_bytes_processed: sizeBytes } = message;
  if (type !== "summary" || typeof id !== "string" || typeof sizeBytes !== "number") return undefined;
  return { id, sizeBytes };
}

/** As restic's --time reads it: in the zone of the process. */
function localTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

/** Counts and hashes the bytes that pass, once, however often they are sent. */
class CountedBody implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #hash = createHash("sha256");
  #sizeBytes = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of this.#source) {
      if (chunk.byteLength === 0) continue;
      this.#hash.update(chunk);
      this.#sizeBytes += chunk.byteLength;
      yield chunk;
    }
  }

  /** What has passed. */
  content(): NonNullable<ObjectRecord["content"]> {
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.copy().digest() };
  }
}
