import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, fail } from "../../expect.ts";
import type { HttpFaultProxy, PassingRequest } from "../../network/http-fault-proxy.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import { absenceWordIn, WireError } from "../../plugin/wire-error.ts";
import type { TestContext } from "../../test-context.ts";

const mebibyte = 1024 ** 2;

/** One request of every plugin that has parts of a MiB or more; and several parts of those of up to 16 MiB. */
export const sizes = { small: mebibyte, large: 17 * mebibyte } as const;

/** One location, reached directly by one process and through a proxy by another. */
export interface TwoWays {
  readonly direct: ObjectStoreSession;
  readonly faulty: ObjectStoreSession;
  readonly proxy: HttpFaultProxy;
}

/** Opens both. Nothing is wrong until the proxy is told so. */
export async function openTwoWays(t: TestContext): Promise<TwoWays> {
  const { proxy, config, env } = await t.startHttpProxy("ObjectStore");
  const [direct, faulty] = await Promise.all([t.openObjectStore(), t.openObjectStore({ config, env, mayWarn: true })]);
  // A store that cannot be read through a proxy would let every fault pass for the plugin's good behaviour.
  const first = bodyOf("first", 100);
  await direct.put(t.key("first"), first);
  if (!(await faulty.get(t.key("first"))).equals(first)) throw new Error("another object came through the proxy");
  await direct.delete(t.key("first"));
  return { direct, faulty, proxy };
}

/** Whether a request brings content to the store, and no document of its API. */
export function carriesContent({ method, headers }: PassingRequest): boolean {
  const isChunked = headers["transfer-encoding"] !== undefined;
  return /^(?:PUT|POST|PATCH)$/.test(method) && (isChunked || Number(headers["content-length"] ?? 0) > 16 * 1024);
}

/** Whether a request may be answered with content. */
export function asksForContent({ method }: PassingRequest): boolean {
  return method === "GET";
}

/** What a request asks for: all parts of an upload may go to one path, as all ranges of a download do. */
export function nameOf({ method, path, headers }: PassingRequest): string {
  return `${method} ${path} ${headers.range ?? ""} ${headers["content-range"] ?? ""}`;
}

/** Answers shorter than this are documents of the store's API, which some plugins ask for before they read. */
export const leastContentBytes = 64 * 1024;

/** Judges only the first so many of the requests that match. */
export function firstOnes(
  count: number,
  matches: (request: PassingRequest) => boolean,
): (request: PassingRequest) => boolean {
  let left = count;
  return (request) => {
    if (left === 0 || !matches(request)) return false;
    left -= 1;
    return true;
  };
}

/** Fails as a fault of the test, not of the plugin, unless what it prepared took place. */
export function assertMet({ hits }: HttpFaultProxy): void {
  if (hits === 0) throw new Error("no request met the fault that was prepared");
}

/** How a call ended. Ending otherwise than with a status is no verdict on the plugin. */
export async function outcomeOf(call: Promise<unknown>): Promise<"ok" | WireError> {
  try {
    await call;
    return "ok";
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

/** A get through faults must end in an error or with the right bytes. Answers which. */
export async function expectRightOrError(store: ObjectStoreSession, key: string, body: Buffer): Promise<boolean> {
  const read = store.get(key);
  const outcome = await outcomeOf(read);
  if (outcome === "ok") expectBytes(await read, body, "a get that ended without an error");
  else expectNotGone(outcome, "the get");
  expect(!store.session.hasExited, "the process ended during the get");
  return outcome === "ok";
}

/**
 * Puts through faults over a former object. A put that succeeded has stored the new one; one that failed has left the
 * former one, or stored the new one and only not heard of it. Answers whether it succeeded.
 */
export async function expectNewOrFormer(t: TestContext, ways: TwoWays, sizeBytes: number): Promise<boolean> {
  const { direct, faulty } = ways;
  const key = t.key("object");
  const former = bodyOf("former", 1000);
  const next = bodyOf("next", sizeBytes);
  await direct.put(key, former);

  const outcome = await outcomeOf(faulty.put(key, next));

  expect(!faulty.session.hasExited, "the process ended during the put");
  const stored = await direct.get(key);
  if (outcome === "ok") expectBytes(stored, next, "the object after a put that succeeded");
  else if (!stored.equals(next)) expectBytes(stored, former, "the object after a put that failed");
  return outcome === "ok";
}

/** No error but a true absence may say "gone": the server deletes the backup then. */
export function expectNotGone(error: WireError, what: string): void {
  const word = absenceWordIn(error.message);
  if (word !== undefined) fail(`${what}: the error says "${word}", which the server reads as "gone": ${error.message}`);
}
