import { create } from "@bufbuild/protobuf";
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  sendUnaryData,
  Server,
  ServerWritableStream,
  ServiceDefinition,
  UntypedHandleCall,
} from "@grpc/grpc-js";

import type { Call, Logger } from "../plugin/index.ts";
import { methodDefinition } from "../wire/index.ts";
import type { CallBounds } from "./call-bounds.ts";
import { unaryDeadlineMs } from "./call-bounds.ts";
import { errorStatus } from "./error-status.ts";
import type { ErrorStatus } from "./error-status.ts";
import { MessageSender } from "./message-sender.ts";
import { thrownText } from "./thrown-text.ts";

/** One method of a service, ready to be added to a server. */
export interface Handler {
  readonly name: string;
  readonly definition: ServiceDefinition[string];
  readonly handle: UntypedHandleCall;
}

/** What every service is made with. */
export interface ServiceContext {
  readonly bounds: CallBounds;
  readonly log: Logger;
}

/** Adds the methods of a service to a server. */
export function addHandlers(server: Server, handlers: readonly Handler[]): void {
  server.addService(
    Object.fromEntries(handlers.map(({ name, definition }) => [name, definition])),
    Object.fromEntries(handlers.map(({ name, handle }) => [name, handle])),
  );
}

/** A unary method: bounded in time, answered with what the work resolves to or with the status of what it threw. */
export function unaryHandler<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  context: ServiceContext,
  work: (request: MessageShape<I>, call: Call) => Promise<MessageInitShape<O>>,
  deadlineMs = unaryDeadlineMs,
): Handler {
  const handle: handleUnaryCall<MessageShape<I>, MessageShape<O>> = (wire, respond) => {
    void answer(method.name, context, respond, async () => {
      const bounded = context.bounds.unary(wire, deadlineMs, async (call) => await work(wire.request, call));
      return create(method.output, await bounded);
    });
  };
  return { name: method.name, definition: methodDefinition(method.parent, method), handle };
}

/** A method that streams its answers, each one once the host's reader has room for it. */
export function serverStreamHandler<I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  context: ServiceContext,
  work: (request: MessageShape<I>, call: Call) => AsyncIterable<MessageInitShape<O>>,
): Handler {
  const handle: handleServerStreamingCall<MessageShape<I>, MessageShape<O>> = (wire) => {
    void answerStream(method.name, context, wire, async (call) => {
      const sender = new MessageSender(wire, call.signal);
      for await (const message of work(wire.request, call)) await sender.send(create(method.output, message));
    });
  };
  return { name: method.name, definition: methodDefinition(method.parent, method), handle };
}

/** Answers a call with what the work resolves to, or with the status of what it threw. */
export async function answer<T>(
  method: string,
  context: ServiceContext,
  respond: sendUnaryData<T>,
  work: () => Promise<T>,
): Promise<void> {
  try {
    respond(null, await work());
  } catch (error) {
    respond(failure(method, context.log, error));
  }
}

/** Ends a streaming answer after the work has sent all of it, or with the status of what it threw. */
export async function answerStream<T>(
  method: string,
  context: ServiceContext,
  wire: ServerWritableStream<unknown, T>,
  work: (call: Call) => Promise<void>,
): Promise<void> {
  try {
    await context.bounds.stream(wire, work);
    wire.end();
  } catch (error) {
    wire.emit("error", failure(method, context.log, error));
  }
}

/** The status for what a call threw. The reason behind it stays here, in a debug line: the server's log gets the text. */
function failure(method: string, log: Logger, error: unknown): ErrorStatus {
  const status = errorStatus(error);
  const cause = error instanceof Error && error.cause !== undefined ? thrownText(error.cause) : undefined;
  log.debug("call failed", { method, code: status.code, error: status.details, cause });
  return status;
}
