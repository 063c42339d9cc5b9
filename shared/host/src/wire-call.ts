import { create } from "@bufbuild/protobuf";
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { methodDefinition } from "@flotilla/sdk/wire";
import { Metadata } from "@grpc/grpc-js";
import type { Client } from "@grpc/grpc-js";

/** What a caller may hand to each call of a client. No deadline is set, as the server sets none. */
export interface ClientCall {
  readonly signal?: AbortSignal;
}

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { readonly input: I; readonly output: O };

/** Makes a unary call; rejects with @grpc/grpc-js' own error. */
export async function unary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: Method<I, O>,
  request: MessageInitShape<I>,
  { signal }: ClientCall = {},
): Promise<MessageShape<O>> {
  signal?.throwIfAborted();
  const definition = methodDefinition(method.parent, method);
  return await new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      create(method.input, request),
      new Metadata(),
      (error, response) => {
        signal?.removeEventListener("abort", cancel);
        if (error === null && response !== undefined) resolve(response);
        else reject(error ?? new Error("neither an answer nor an error"));
      },
    );
    const cancel = () => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
  });
}

/** Makes a server-streaming call: one message is read for each that is asked for. Leaving early cancels the call. */
export async function* serverStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: Method<I, O>,
  request: MessageInitShape<I>,
  { signal }: ClientCall = {},
): AsyncGenerator<MessageShape<O>, void, undefined> {
  signal?.throwIfAborted();
  const definition = methodDefinition(method.parent, method);
  const stream = client.makeServerStreamRequest(
    definition.path,
    definition.requestSerialize,
    definition.responseDeserialize,
    create(method.input, request),
  );
  // The iteration hears of errors by itself; one that comes after it was left must not end this process.
  stream.on("error", () => {});
  const cancel = () => stream.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    // The stream carries what responseDeserialize of this method made; @grpc/grpc-js types its iteration as any.
    for await (const message of stream as AsyncIterable<MessageShape<O>>) yield message;
  } finally {
    signal?.removeEventListener("abort", cancel);
    stream.cancel();
  }
}

/** Makes a client-streaming call, at the speed of the receiver. A source that throws cancels the call. */
export async function clientStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: Method<I, O>,
  messages: AsyncIterable<MessageInitShape<I>>,
  { signal, metadata = new Metadata() }: ClientCall & { readonly metadata?: Metadata } = {},
): Promise<MessageShape<O>> {
  signal?.throwIfAborted();
  const definition = methodDefinition(method.parent, method);
  const answer = Promise.withResolvers<MessageShape<O>>();
  // The answer may come, and be an error, while messages are still being read: it is looked at after them.
  answer.promise.catch(() => {});
  let isAnswered = false;
  const stream = client.makeClientStreamRequest(
    definition.path,
    definition.requestSerialize,
    definition.responseDeserialize,
    metadata,
    (error, response) => {
      isAnswered = true;
      if (error === null && response !== undefined) answer.resolve(response);
      else answer.reject(error ?? new Error("neither an answer nor an error"));
      // Wakes a writer that waits for room which nobody will make any more.
      stream.emit("drain");
    },
  );
  // Once the call is over its status says all; a late write has nothing to add.
  stream.on("error", () => {});
  const cancel = () => stream.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    for await (const message of messages) {
      if (isAnswered) break;
      const hasRoom = stream.write(create(method.input, message));
      if (!hasRoom && !isAnswered) await new Promise<void>((resolve) => stream.once("drain", () => resolve()));
    }
    stream.end();
  } catch (error) {
    stream.cancel();
    await answer.promise.catch(() => undefined);
    throw error;
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
  return await answer.promise;
}
