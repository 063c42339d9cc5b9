/**
 * The two places where a stream's bytes go past @grpc/grpc-js, which copies each message once more than needed and takes
 * each received one through several queues. It offers no way around that: private methods of its call are replaced, on
 * the one call. The test beside this file fails on the day that a later version has them no more.
 */

/** A message that can write gRPC's prefix before itself. */
export interface FramedMessage {
  frame(): Buffer;
}

/** The stream below a call. */
export interface Tap {
  /** Whether it was broken off. */
  readonly aborted: boolean;
  /** The code of a reset; 0 where there was none. */
  readonly rstCode?: number | undefined;
  pause(): void;
  resume(): void;
}

/** Lets a call send its {@link FramedMessage}s as they frame themselves. */
export function sendFramed(wire: object): void {
  replace(callOf(wire), "serializeMessage", (message: FramedMessage) => message.frame());
}

/**
 * Hands the data of a client's stream to `onData` as it arrives, framed. To be called before anything is read of the
 * stream; it flows from the first `resume` on, and its end is the wire's own.
 */
export function receiveFramed(wire: object, onData: (data: Buffer) => void): Tap {
  const call = callOf(wire);
  const stream: unknown = Reflect.get(call, "stream");
  if (!isTap(stream)) throw changed("stream");
  replace(call, "handleDataFrame", onData);
  return stream;
}

function callOf(wire: object): object {
  const call: unknown = Reflect.get(wire, "call");
  if (typeof call !== "object" || call === null) throw changed("call");
  return call;
}

function replace(call: object, name: string, method: unknown): void {
  if (typeof Reflect.get(call, name) !== "function") throw changed(name);
  Reflect.set(call, name, method);
}

function isTap(value: unknown): value is Tap {
  return typeof value === "object" && value !== null && "aborted" in value && "pause" in value && "resume" in value;
}

function changed(name: string): Error {
  return new Error(`this version of @grpc/grpc-js has no "${name}" on its calls; see raw-call.ts`);
}
