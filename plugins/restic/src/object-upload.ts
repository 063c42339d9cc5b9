import { createHash, randomUUID } from "node:crypto";
import { guardGzip, nameOf } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, JsonObject, ObjectRef } from "@flotilla/sdk/plugin";
import { dataTags, recordTags, wholeTags } from "./object-tags.ts";
import type { ObjectContent, ObjectRecord } from "./object-tags.ts";
import { ReplayableBody } from "./replayable-body.ts";
import type { Repository } from "./repository.ts";

/** What a backup answered. */
interface StoredData {
  /** Of the snapshot; its beginning only, with versions before 0.15. */
  readonly id: string;
  readonly sizeBytes: number;
}

/** An object's bytes, on their way into the repository. */
export class ObjectUpload implements AsyncDisposable {
  readonly upload: string = randomUUID();
  readonly #object: ObjectRef;
  readonly #counted: CountedBody;
  readonly #input: ReplayableBody;

  constructor(object: ObjectRef, body: AsyncIterable<Uint8Array>) {
    this.#object = object;
    this.#counted = new CountedBody(guardGzip(object, body));
    this.#input = new ReplayableBody(this.#counted);
  }

  /** Size and hash of what has passed, which is all of it after {@link isSmall} said so, and after {@link storeData}. */
  get content(): ObjectContent {
    return this.#counted.content();
  }

  /** Whether all of it is in memory now, so that its record can be told before its bytes are sent. */
  async isSmall(): Promise<boolean> {
    return await this.#input.readAhead();
  }

  /** Stores the bytes in a snapshot that alone shows nothing. Resolves to its id; undefined for an empty object. */
  async storeData(repository: Repository, call: Call): Promise<string | undefined> {
    // restic refuses an input without a byte.
    if ((await this.isSmall()) && this.content.sizeBytes === 0) return undefined;
    return await this.#store(repository, dataTags(this.#object, this.upload), call);
  }

  /**
   * Stores bytes and record in one snapshot: it shows the object if it is as long as the record says, so that one whose
   * input was cut off by the end of this process shows nothing. For versions whose snapshots tell their size.
   */
  async storeWhole(repository: Repository, record: ObjectRecord, call: Call): Promise<string> {
    return await this.#store(repository, wholeTags(record), call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
  }

  async #store(repository: Repository, tags: readonly string[], call: Call): Promise<string> {
    const action = `put ${nameOf(this.#object)}`;
    const name = dataName(this.#object.key);
    const stored = await backUp(repository, { action, name, tags, input: this.#input }, call);
    const { sizeBytes } = this.content;
    if (stored.sizeBytes === sizeBytes) return stored.id;
    throw new PluginError(
      `${action}: restic stored ${stored.sizeBytes} of ${sizeBytes} bytes; nothing is visible of them`,
      { kind: "incomplete" },
    );
  }
}

/** Records have the same bytes, name and hour, so that they share their tree and cost one small file each. */
const recordName = "flotilla-record";
const recordBody = Buffer.from("The tags of this snapshot describe an object; see flotilla.io/object.\n");
const hourMs = 3_600_000;

/** A prune may take long, and a backup shall outwait it. */
const lockPatienceMs = 30 * 60_000;

/** Stores the record that makes an object visible, or says that it is deleted. Resolves to the snapshot's id. */
export async function storeRecord(repository: Repository, record: ObjectRecord, call: Call): Promise<string> {
  const action = `${record.content === undefined ? "delete" : "put"} ${nameOf(record)}`;
  const time = new Date(Math.floor(Date.now() / hourMs) * hourMs);
  const input = new ReplayableBody(once(recordBody));
  return (await backUp(repository, { action, name: recordName, tags: recordTags(record), input, time }, call)).id;
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
      lockPatienceMs,
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
  content(): ObjectContent {
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.copy().digest() };
  }
}
