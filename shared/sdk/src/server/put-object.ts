import { create } from "@bufbuild/protobuf";
import type { handleClientStreamingCall, ServerReadableStream } from "@grpc/grpc-js";

import { PluginError } from "../plugin/index.ts";
import type { Call } from "../plugin/index.ts";
import { methodDefinition, velero } from "../wire/index.ts";
import { expectLargeBodies } from "./external-memory.ts";
import { answer } from "./handlers.ts";
import type { Handler, ServiceContext } from "./handlers.ts";
import { IncomingBody } from "./incoming-body.ts";
import type { ObjectLocations } from "./object-locations.ts";
import { requireKey } from "./object-ref.ts";

type Wire = ServerReadableStream<velero.PutObjectRequest, velero.Empty>;

/** PutObject: the only call that the host streams. */
export function putObjectHandler(locations: ObjectLocations, context: ServiceContext): Handler {
  const method = velero.ObjectStore.method.putObject;
  const handle: handleClientStreamingCall<velero.PutObjectRequest, velero.Empty> = (wire, respond) => {
    void answer(method.name, context, respond, async () => {
      await context.bounds.stream(wire, async (call) => {
        await putObject(wire, locations, call);
      });
      return create(velero.EmptySchema);
    });
  };
  return { name: method.name, definition: methodDefinition(velero.ObjectStore, method), handle };
}

async function putObject(wire: Wire, locations: ObjectLocations, call: Call): Promise<void> {
  expectLargeBodies();
  const body = new IncomingBody(wire, call.signal);
  try {
    const target = await body.target();
    // Only the first message says what it is about: where there is none, an empty object has no name on this wire.
    if (target === undefined)
      throw new PluginError("put object: the stream ended before a message said which object; nothing was stored", {
        kind: "invalid-argument",
      });
    const { plugin, bucket, key } = target;
    const object = requireKey({ bucket, key });
    await locations.find(plugin, bucket, key).use(async (store) => {
      await store.putObject(object, body.chunks(), call);
    });
    // A store that resolves early has stored something else than the host's object.
    if (!body.hasEnded)
      throw new PluginError(`put object "${key}" in bucket "${bucket}": stored before its end was read`, {
        kind: "internal",
      });
  } catch (error) {
    await body.drain();
    throw error;
  }
}
