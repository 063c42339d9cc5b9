import { create } from "@bufbuild/protobuf";
import type { handleBidiStreamingCall, handleServerStreamingCall, handleUnaryCall } from "@grpc/grpc-js";

import { PluginError } from "../plugin/index.ts";
import { goPlugin, Health, HealthCheckResponse_ServingStatus, methodDefinition } from "../wire/index.ts";
import type { CancellableCall } from "./call-bounds.ts";
import { unaryHandler } from "./handlers.ts";
import type { Handler, ServiceContext } from "./handlers.ts";

/** What go-plugin's services tell the process. */
export interface HostSignals {
  /** The host opened a stream that it keeps for as long as it lives; `released` runs when it ended. */
  held(released: (listener: () => void) => void): void;
  /** The host asked for the end; `answered` resolves once it has its answer. */
  shutdown(answered: Promise<void>): void;
}

/** go-plugin's own services, which every host of the server's kind opens at once. */
export function goPluginHandlers(signals: HostSignals, context: ServiceContext): readonly (readonly Handler[])[] {
  return [[brokerHandler(signals)], [stdioHandler(signals)], [shutdownHandler(signals)], [healthHandler(context)]];
}

/** Held open without a word: it keeps the host's channel from going idle, and its end tells that the host is gone. */
function brokerHandler(signals: HostSignals): Handler {
  const method = goPlugin.GRPCBroker.method.startStream;
  const handle: handleBidiStreamingCall<goPlugin.ConnInfo, goPlugin.ConnInfo> = (wire) => {
    // Whatever the host says here (it never does) is dropped, and its half-close is not an end.
    wire.resume();
    signals.held((listener) => wire.on("cancelled", listener));
  };
  return { name: method.name, definition: methodDefinition(goPlugin.GRPCBroker, method), handle };
}

/** Held open without a word: the server throws standard streams away, and log lines go to stderr. */
function stdioHandler(signals: HostSignals): Handler {
  const method = goPlugin.GRPCStdio.method.streamStdio;
  const handle: handleServerStreamingCall<object, goPlugin.StdioData> = (wire) => {
    signals.held((listener) => wire.on("cancelled", listener));
  };
  return { name: method.name, definition: methodDefinition(goPlugin.GRPCStdio, method), handle };
}

function shutdownHandler(signals: HostSignals): Handler {
  const method = goPlugin.GRPCController.method.shutdown;
  const handle: handleUnaryCall<goPlugin.Empty, goPlugin.Empty> = (wire, respond) => {
    signals.shutdown(answered(wire));
    respond(null, create(goPlugin.EmptySchema));
  };
  return { name: method.name, definition: methodDefinition(goPlugin.GRPCController, method), handle };
}

/** The wire reports every end of a call as a cancellation, a normal one once its trailers were handed to the socket. */
async function answered(wire: CancellableCall): Promise<void> {
  await new Promise<void>((resolve) => {
    wire.on("cancelled", resolve);
  });
}

function healthHandler(context: ServiceContext): Handler {
  return unaryHandler(Health.method.check, context, async ({ service }) => {
    if (service !== "" && service !== "plugin")
      throw new PluginError(`health of "${service}": no such service`, { kind: "not-found" });
    return await Promise.resolve({ status: HealthCheckResponse_ServingStatus.SERVING });
  });
}
