import type { BlobDescription, Checksum, CopySource } from "@flotilla/sdk/objects";
import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { isRecord } from "./answers.ts";
import type { Attempt } from "./errors.ts";
import { isSameObject } from "./gcs-checksums.ts";
import { describedFields, describeMetadata } from "./gcs-description.ts";
import type { GcsTarget } from "./gcs-put.ts";
import type { GcsSession } from "./gcs-session.ts";

/** The bucket that copies are made from. */
export interface GcsCopyOrigin {
  readonly session: GcsSession;
  /** Headers with the customer's key of its objects; none where they have none. */
  readonly customerKey: Readonly<Record<string, string>>;
  /** Whether the copies are written by the identity that reads the originals. */
  readonly isSameIdentity: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** One copy on its way. */
interface Copy {
  readonly target: GcsTarget;
  readonly origin: GcsCopyOrigin;
  readonly source: CopySource;
  /** What the copy replaces: of another generation by now, another writer was faster, and the copy is made anew. */
  readonly replaces: string;
  readonly attempt: Attempt;
}

// The service answers within half a minute how far it came, and takes a token for the rest.
const answerLimitMs = 120_000;
// A token that the service knows no more is as good as none: the rewrite begins again.
const maxBeginnings = 3;
// Each answer should have brought it further. One may not; so many in a row mean that it is stuck.
const maxIdleAnswers = 10;

const rewriteFields = `done,rewriteToken,totalBytesRewritten,resource(${describedFields})`;

/**
 * Has the service rewrite one generation of an object into the target's bucket, in as many requests as it wants, and
 * answers what it says of the copy. Nothing is visible there before the last of them.
 */
export async function rewriteObject(
  target: GcsTarget,
  origin: GcsCopyOrigin,
  source: CopySource,
  call: Call,
): Promise<BlobDescription> {
  requireReachable(target, origin, source);
  const attempt = rewriteAttempt(target, source);
  const { session } = target;
  try {
    return await session.onObject(attempt, call, async () => {
      const replaces = await generationAt(target, attempt, call);
      return describeMetadata(await rewrite({ target, origin, source, replaces, attempt }, call));
    });
  } catch (error) {
    // A copy whose answer was lost is there, and protected perhaps: nothing is to be made anew then.
    const isThere = isKind(error, "conflict") || isKind(error, "held");
    const found = isThere ? await madeMeanwhile(target, source, attempt, call) : undefined;
    if (found !== undefined) return describeMetadata(found);
    if (isKind(error, "not-found")) throw await explainAbsence(error, origin, source, attempt, call);
    // What one identity may read and the other may write, the plugin carries from the one to the other.
    if (isKind(error, "denied") && !origin.isSameIdentity)
      throw new PluginError(error.message, { kind: "unsupported", cause: error });
    throw error;
  }
}

async function rewrite(copy: Copy, call: Call): Promise<Fields> {
  for (let beginnings = 1; ; beginnings += 1) {
    try {
      return await rewriteFromTheStart(copy, call);
    } catch (error) {
      if (!(error instanceof StaleToken)) throw error;
      if (beginnings === maxBeginnings) throw error.refusal;
      call.log.debug("the store goes on with a copy no more: beginning again", { copy: copy.attempt.action });
    }
  }
}

/** Thrown where the service does not go on with what it began. */
class StaleToken extends Error {
  readonly refusal: PluginError;

  constructor(refusal: PluginError) {
    super(refusal.message, { cause: refusal });
    this.refusal = refusal;
  }
}

async function rewriteFromTheStart(copy: Copy, call: Call): Promise<Fields> {
  const { attempt } = copy;
  let token: string | undefined;
  let position = -1;
  for (let idle = 0; idle < maxIdleAnswers; idle += 1) {
    const answer = await sendRewrite(copy, token, call);
    const { done, resource, rewriteToken, totalBytesRewritten } = answer;
    if (done === true && isRecord(resource)) return resource;
    if (done === true || typeof rewriteToken !== "string") throw foreign(attempt);
    token = rewriteToken;
    const reached = Number(totalBytesRewritten);
    call.log.debug("the store copies an object", { copy: attempt.action, bytes: reached });
    if (reached > position) idle = -1;
    position = Math.max(position, reached);
  }
  throw new PluginError(`${attempt.action}: the store makes no progress with it`, { kind: "timeout" });
}

async function sendRewrite(copy: Copy, token: string | undefined, call: Call): Promise<Fields> {
  const { target, origin, source, replaces, attempt } = copy;
  const { session, key, settings } = target;
  const { kmsKeyName } = settings.query;
  const url = origin.session.rewriteUrl(source.key, session.bucket, key, {
    fields: rewriteFields,
    ifSourceGenerationMatch: source.version,
    ifGenerationMatch: replaces,
    ...(kmsKeyName === undefined ? {} : { destinationKmsKeyName: kmsKeyName }),
    ...(token === undefined ? {} : { rewriteToken: token }),
  });
  const request = {
    method: "POST",
    url,
    headers: { "content-type": "application/json", ...settings.customerKey, ...asSourceKey(origin.customerKey) },
    // With a body, a copy has the properties of an object that is put here, whatever others have set on the source.
    body: JSON.stringify({ contentType: "application/octet-stream", ...settings.metadata }),
    timeoutMs: answerLimitMs,
  };
  const send = async (): Promise<Fields> => await session.api.json(request, attempt, call);
  try {
    return await session.api.patiently(attempt, call, send);
  } catch (error) {
    if (token !== undefined && isKind(error, "invalid-argument")) throw new StaleToken(error);
    throw error;
  }
}

/** What the copy replaces; `0` where nothing is. That much is told without the key of whoever wrote it. */
async function generationAt({ session, key }: GcsTarget, attempt: Attempt, call: Call): Promise<string> {
  const metadata = await lookUp(session.objectUrl(key, { fields: "generation" }), {}, session, attempt, call);
  return typeof metadata?.["generation"] === "string" ? metadata["generation"] : "0";
}

/** The copy that was asked for, where it is there; undefined for anything else. */
async function madeMeanwhile(
  { session, key, settings }: GcsTarget,
  source: CopySource,
  attempt: Attempt,
  call: Call,
): Promise<Fields | undefined> {
  const url = session.objectUrl(key, { fields: describedFields });
  try {
    const found = await lookUp(url, settings.customerKey, session, attempt, call);
    return found !== undefined && isSameObject(found, source.sizeBytes, checksumOf(source)) ? found : undefined;
  } catch {
    // The failure that led here is the one to report.
    return undefined;
  }
}

async function lookUp(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { api }: GcsSession,
  attempt: Attempt,
  call: Call,
): Promise<Fields | undefined> {
  try {
    return await api.patiently(
      attempt,
      call,
      async () => await api.json({ method: "GET", url, headers }, attempt, call),
    );
  } catch (error) {
    if (isKind(error, "not-found")) return undefined;
    throw error;
  }
}

/** Two endpoints may be two stores, or two regions' of one that copies nothing between them. */
function requireReachable({ session }: GcsTarget, origin: GcsCopyOrigin, { bucket, key }: CopySource): void {
  if (origin.session.bucket === bucket && origin.session.endpoint.href === session.endpoint.href) return;
  throw new PluginError(
    `copy object "${key}" from bucket "${bucket}" into bucket "${session.bucket}": they have different endpoints`,
    { kind: "unsupported" },
  );
}

/** A 404 is the same for a source that is gone, for one that was replaced meanwhile, and for its bucket. */
async function explainAbsence(
  absence: PluginError,
  { session, customerKey }: GcsCopyOrigin,
  source: CopySource,
  { action }: Attempt,
  call: Call,
): Promise<unknown> {
  const attempt = {
    action,
    permission: "storage.objects.get",
    subject: `object "${source.key}" in bucket "${source.bucket}"`,
  };
  const url = session.objectUrl(source.key, { fields: describedFields });
  const request = { method: "GET", url, headers: customerKey };
  try {
    await session.onObject(attempt, call, async () => await session.api.json(request, attempt, call));
  } catch (error) {
    return error;
  }
  return new PluginError(`${action}: it was replaced while it was copied`, { kind: "conflict", cause: absence });
}

/** The names of the headers that hold the key of a copy's source. */
function asSourceKey(customerKey: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(customerKey).map(([name, value]) => [name.replace("x-goog-", "x-goog-copy-source-"), value]),
  );
}

function checksumOf({ checksum }: CopySource): Checksum | undefined {
  if (checksum?.algorithm !== "crc32c" || checksum.scope !== "full-object") return undefined;
  return { algorithm: "crc32c", bytes: Buffer.from(checksum.value, "base64") };
}

function rewriteAttempt({ session, key, settings }: GcsTarget, source: CopySource): Attempt {
  const from = `storage.objects.get on bucket "${source.bucket}"`;
  return {
    action: `copy object "${source.key}" from bucket "${source.bucket}" to "${key}" in bucket "${session.bucket}"`,
    permission: `${from}, storage.objects.create, storage.objects.get and storage.objects.delete on bucket "${session.bucket}"`,
    subject: `object "${source.key}" in bucket "${source.bucket}"`,
    ...(settings.query.kmsKeyName === undefined
      ? {}
      : {
          deniedAdvice:
            'let the Cloud Storage service agent of the project of the copies use the target\'s kmsKeyName, by the role "Cloud KMS CryptoKey Encrypter/Decrypter"',
        }),
  };
}

function foreign({ action }: Attempt): PluginError {
  return new PluginError(`${action}: the store answered something else than was asked for`, { kind: "unsupported" });
}
