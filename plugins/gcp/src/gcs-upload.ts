import { printChecksum } from "@flotilla/sdk/objects";
import type { BlobUpload, Checksum, CompletedUpload, UploadedPart } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { readApiAnswer } from "./answers.ts";
import { translateStorageAnswer, translateUploadAnswer } from "./errors.ts";
import type { Attempt } from "./errors.ts";
import { writeAttempt } from "./gcs-attempts.ts";
import { hashHeader, requireKept } from "./gcs-checksums.ts";
import { lastPatience } from "./google-api.ts";
import { isStored, keptFields } from "./gcs-put.ts";
import type { GcsTarget } from "./gcs-put.ts";
import { readJson } from "./json-request.ts";
import type { HttpAnswer } from "./transport.ts";

/** Every chunk but the last is a multiple of it: https://cloud.google.com/storage/docs/performing-resumable-uploads */
export const chunkMultipleBytes = 256 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/** Where a session stands: the bytes that it has, or the object that it became. */
type Progress = { readonly position: number } | { readonly object: Fields };

/**
 * A resumable session, to which parts are appended. Nothing is visible before its last request, which names the size and
 * the checksum of the whole. Of two that write one key, the one that ends last is kept, whole: the store puts an object in
 * place in one step, so a generation precondition would only make the server's own overwriting fail.
 */
export class GcsUpload implements BlobUpload {
  readonly #target: GcsTarget;
  #location: URL;
  /** What the store has for certain; undefined where an answer was lost, so that it must be asked. */
  #position: number | undefined = 0;
  /** Of the parts that were put. */
  #sizeBytes = 0;
  /** The end of the last part, too short for a chunk of its own. */
  #rest: Uint8Array = new Uint8Array(0);

  private constructor(target: GcsTarget, location: URL) {
    this.#target = target;
    this.#location = location;
  }

  /** Starts a session. */
  static async start(target: GcsTarget, call: Call): Promise<GcsUpload> {
    return new GcsUpload(target, await startSession(target, call));
  }

  async putPart(number: number, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<UploadedPart> {
    const attempt = this.#attempt(`upload part ${number} of`);
    const whole = body.byteLength - (body.byteLength % chunkMultipleBytes);
    await this.#append(body.subarray(0, whole), attempt, call);
    // A copy, since the body belongs to the caller.
    this.#rest = Uint8Array.from(body.subarray(whole));
    this.#sizeBytes += body.byteLength;
    return { number, sizeBytes: body.byteLength, checksum, token: "" };
  }

  async complete({ sizeBytes, checksum }: CompletedUpload, call: Call): Promise<void> {
    const attempt = this.#attempt("finish the upload of");
    const { api } = this.#target.session;
    const finish = async (): Promise<Fields | undefined> => await this.#finish(sizeBytes, checksum, attempt, call);
    const object = await api.patiently(attempt, call, finish, lastPatience);
    if (object !== undefined) requireKept(object, sizeBytes, checksum, attempt);
  }

  async abort(call: Call): Promise<void> {
    const attempt = this.#attempt("cancel the upload of");
    // The reference asks for the length, which a request of this method does not have by itself.
    const request = { method: "DELETE", url: this.#location, headers: { "content-length": "0" } };
    const answer = await this.#target.session.api.send(request, attempt, call);
    // 499 is what the store answers to a cancelled session; the other two mean that there is none any more.
    if ([200, 204, 404, 410, 499].includes(answer.status)) answer.body.destroy();
    else throw translateStorageAnswer(await readApiAnswer(answer), attempt);
  }

  /** Appends bytes that begin where the parts so far end. Begun again after a failure, it goes on where the store is. */
  async #append(bytes: Uint8Array, attempt: Attempt, call: Call): Promise<void> {
    const start = this.#sizeBytes;
    const end = start + bytes.byteLength;
    for (let isRestarted = false; ;) {
      const position = this.#position ?? (await this.#ask(attempt, call));
      if (position === "gone") {
        // Before its first bytes were confirmed, a new session is as good; later, what it had is lost.
        if (start > 0 || isRestarted) throw lostSession(attempt);
        isRestarted = true;
        this.#location = await startSession(this.#target, call);
        this.#position = 0;
        continue;
      }
      this.#position = position;
      if (position < start || position > end) throw lostSession(attempt);
      if (position === end) return;
      await this.#sendChunk(bytes.subarray(position - start), position, attempt, call);
    }
  }

  async #sendChunk(chunk: Uint8Array, position: number, attempt: Attempt, call: Call): Promise<void> {
    const range = `bytes ${position}-${position + chunk.byteLength - 1}/*`;
    this.#position = undefined;
    const answer = await this.#put(chunk, { "content-range": range }, attempt, call);
    if (isGone(answer)) return;
    const progress = await this.#readProgress(answer, attempt, call);
    if ("object" in progress) throw endedEarly(attempt);
    if (progress.position <= position) throw tookNothing(attempt);
    this.#position = progress.position;
  }

  /** Asks a session how far it is; `gone` for one that is no more. */
  async #ask(attempt: Attempt, call: Call): Promise<number | "gone"> {
    const answer = await this.#put(new Uint8Array(0), { "content-range": "bytes */*" }, attempt, call);
    if (isGone(answer)) return "gone";
    const progress = await this.#readProgress(answer, attempt, call);
    if ("object" in progress) throw endedEarly(attempt);
    return progress.position;
  }

  /** The object that the session became; undefined where only its being there is known. */
  async #finish(
    sizeBytes: number,
    checksum: Checksum | undefined,
    attempt: Attempt,
    call: Call,
  ): Promise<Fields | undefined> {
    const isAgain = this.#position === undefined;
    const restStart = sizeBytes - this.#rest.byteLength;
    let progress: Progress | undefined =
      this.#position === undefined ? await this.#askOrGone(attempt, call) : { position: this.#position };
    for (let last = -1; progress !== undefined;) {
      if ("object" in progress) return progress.object;
      const { position } = progress;
      if (position < restStart || position > sizeBytes) throw lostSession(attempt);
      if (position === last) throw tookNothing(attempt);
      last = position;
      this.#position = undefined;
      const rest = this.#rest.subarray(position - restStart);
      const range = rest.byteLength === 0 ? "*" : `${position}-${sizeBytes - 1}`;
      const headers = { "content-range": `bytes ${range}/${sizeBytes}`, ...hashHeader(checksum) };
      const answer = await this.#put(rest, headers, attempt, call);
      progress = isGone(answer) ? undefined : await this.#readProgress(answer, attempt, call, checksum);
    }
    // After an answer that was lost, the session may be gone because it did its work.
    if (isAgain && (await isStored(this.#target, sizeBytes, checksum, call))) return undefined;
    throw lostSession(attempt);
  }

  async #askOrGone(attempt: Attempt, call: Call): Promise<Progress | undefined> {
    const answer = await this.#put(new Uint8Array(0), { "content-range": "bytes */*" }, attempt, call);
    return isGone(answer) ? undefined : await this.#readProgress(answer, attempt, call);
  }

  async #put(
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    attempt: Attempt,
    call: Call,
  ): Promise<HttpAnswer> {
    const { session, settings } = this.#target;
    const request = { method: "PUT", url: this.#location, headers: { ...headers, ...settings.customerKey }, body };
    return await session.api.send(request, attempt, call);
  }

  async #readProgress(answer: HttpAnswer, attempt: Attempt, call: Call, checksum?: Checksum): Promise<Progress> {
    if (answer.status === 308) {
      answer.body.resume();
      const [, last] = /^bytes=0-(\d+)$/.exec(answer.headers.range ?? "") ?? [];
      return { position: last === undefined ? 0 : Number(last) + 1 };
    }
    if (answer.status === 200 || answer.status === 201)
      return { object: await readJson(answer, attempt, translateStorageAnswer, call.signal) };
    throw translateUploadAnswer(await readApiAnswer(answer), attempt, checksum && printChecksum(checksum));
  }

  #attempt(verb: string): Attempt {
    const { session, key, settings } = this.#target;
    return writeAttempt(verb, session.bucket, key, settings.query.kmsKeyName);
  }
}

async function startSession({ session, key, settings }: GcsTarget, call: Call): Promise<URL> {
  const attempt = writeAttempt("start the upload of", session.bucket, key, settings.query.kmsKeyName);
  const request = {
    method: "POST",
    url: session.uploadUrl({ uploadType: "resumable", fields: keptFields, ...settings.query }),
    headers: { "content-type": "application/json; charset=UTF-8", ...settings.customerKey },
    body: JSON.stringify({ name: key, ...settings.metadata }),
  };
  const answer = await session.api.sendOk(request, attempt, call);
  answer.body.resume();
  const { location } = answer.headers;
  if (location !== undefined) return session.own(location);
  throw new PluginError(`${attempt.action}: the store named no session; check storeEndpoint`, { kind: "unsupported" });
}

function isGone(answer: HttpAnswer): boolean {
  if (answer.status !== 404 && answer.status !== 410) return false;
  answer.body.resume();
  return true;
}

function lostSession({ action }: Attempt): PluginError {
  return new PluginError(`${action}: the store gave the upload up in the middle; nothing was stored, start it again`, {
    kind: "conflict",
  });
}

function tookNothing({ action }: Attempt): PluginError {
  return new PluginError(`${action}: the store took none of the bytes; try again later`, { kind: "unavailable" });
}

function endedEarly({ action }: Attempt): PluginError {
  return new PluginError(`${action}: the store ended the upload before its end; delete the object`, {
    kind: "corrupt",
  });
}
