import type { handleServerStreamingCall, ServerWritableStream } from "@grpc/grpc-js";

import { giveBlock, isBlock, takeBlock } from "../plugin/index.ts";
import type { Call } from "../plugin/index.ts";
import { BytesMessage, methodDefinition, velero } from "../wire/index.ts";
import { expectLargeBodies } from "./external-memory.ts";
import { answerStream } from "./handlers.ts";
import type { Handler, ServiceContext } from "./handlers.ts";
import { MessageSender } from "./message-sender.ts";
import { requireKey } from "./object-ref.ts";
import type { ObjectLocations } from "./object-locations.ts";
import { sendFramed } from "./raw-call.ts";

type Wire = ServerWritableStream<velero.GetObjectRequest, BytesMessage>;

/** GetObject: the hot answer of the wire, with an encoder of its own. */
export function getObjectHandler(locations: ObjectLocations, context: ServiceContext): Handler {
  const method = velero.ObjectStore.method.getObject;
  const handle: handleServerStreamingCall<velero.GetObjectRequest, BytesMessage> = (wire) => {
    void answerStream(method.name, context, wire, async (call) => {
      await getObject(wire, locations, call);
    });
  };
  const definition = methodDefinition(velero.ObjectStore, method);
  return {
    name: method.name,
    definition: { ...definition, responseSerialize: (message: BytesMessage) => message.encode() },
    handle,
  };
}

async function getObject(wire: Wire, locations: ObjectLocations, call: Call): Promise<void> {
  const { plugin, bucket, key } = wire.request;
  const object = requireKey({ bucket, key });
  expectLargeBodies();
  sendFramed(wire);
  await locations.find(plugin, bucket, key).use(async (store) => {
    const sender = new MessageSender(wire, call.signal);
    const send = async (content: Uint8Array<ArrayBuffer>): Promise<void> => {
      await sender.send(new BytesMessage(content), () => giveBlock(content));
    };
    const collector = new BlockCollector(send);
    for await (const chunk of store.getObject(object, call)) {
      if (chunk.byteLength === 0) continue;
      if (!isBlock(chunk)) await collector.add(chunk);
      else {
        await collector.flush();
        await send(chunk);
      }
    }
    await collector.flush();
  });
}

/** Makes blocks of the chunks of stores that know of none. */
class BlockCollector {
  readonly #send: (content: Uint8Array<ArrayBuffer>) => Promise<void>;
  #block: Buffer<ArrayBuffer> | undefined;
  #length = 0;

  constructor(send: (content: Uint8Array<ArrayBuffer>) => Promise<void>) {
    this.#send = send;
  }

  async add(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.byteLength > 0;) {
      this.#block ??= takeBlock();
      const taken = rest.subarray(0, this.#block.byteLength - this.#length);
      this.#block.set(taken, this.#length);
      this.#length += taken.byteLength;
      rest = rest.subarray(taken.byteLength);
      if (this.#length === this.#block.byteLength) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const block = this.#block;
    const content = block?.subarray(0, this.#length);
    this.#block = undefined;
    this.#length = 0;
    if (content !== undefined) await this.#send(content);
  }
}
