import { setTimeout as delay } from "node:timers/promises";
import { dialTarget, serverStream, unary } from "@flotilla/host";
import { goPlugin, Health, HealthCheckResponse_ServingStatus, methodDefinition, velero } from "@flotilla/sdk/wire";
import { Client, credentials, status } from "@grpc/grpc-js";

import { expect, expectEqual, fail } from "../../expect.ts";
import type { PluginSession } from "../../plugin/plugin-session.ts";
import { WireError } from "../../plugin/wire-error.ts";
import type { ConformanceTest } from "../../test.ts";

/** How long a stream is watched. */
const watchMs = 300;

/** go-plugin's own services. */
export const streamTests: readonly ConformanceTest[] = [
  {
    id: "process/streams/broker",
    title: "the broker's stream stays open and silent, or is not implemented",
    rule: "go-plugin-streams-stay-open",
    run: async (t) => {
      const session = await t.start({ holdsStreams: false });

      judgeStream(await watchBroker(session), "the broker's stream");
    },
  },
  {
    id: "process/streams/stdio",
    title: "the stdio stream stays open and silent, or is not implemented",
    rule: "go-plugin-streams-stay-open",
    run: async (t) => {
      const session = await t.start({ holdsStreams: false });

      judgeStream(await watchStdio(session), "the stdio stream");
    },
  },
  {
    id: "process/streams/idle-connection",
    title: "a host whose connection went idle reaches the process again, unless an open stream keeps it from that",
    rule: "go-plugin-streams-stay-open",
    run: async (t) => {
      const session = await t.start({ holdsStreams: false });
      if ((await watchBroker(session)) === undefined || (await watchStdio(session)) === undefined) return;

      session.client.close();
      await delay(1500);

      expect(!session.hasExited, "it ended when its host closed an idle connection");
      const again = new Client(dialTarget(session.handshake), credentials.createInsecure());
      t.own(async () => again.close());
      const { plugins } = await unary(again, velero.PluginLister.method.listPlugins, {});
      expect(plugins.length > 0, "it lists nothing any more");
    },
  },
  {
    id: "process/streams/health",
    title: "the health service answers SERVING for `plugin`",
    rule: "health-is-served",
    run: async (t) => {
      const session = await t.start();

      const answer = await unary(session.client, Health.method.check, { service: "plugin" });

      expectEqual(answer.status, HealthCheckResponse_ServingStatus.SERVING, "the status");
    },
  },
];

/** How a stream ended, in words, or undefined while it is open. */
type StreamEnd = { readonly isUnimplemented: boolean; readonly how: string } | undefined;

function judgeStream(end: StreamEnd, what: string): void {
  if (end !== undefined && !end.isUnimplemented) fail(`${what} ${end.how}`);
}

/** A call after the stream was opened has an answer once the stream has reached the plugin. */
async function watched(session: PluginSession): Promise<undefined> {
  await session.listPlugins();
  return await delay(watchMs, undefined);
}

async function watchStdio(session: PluginSession): Promise<StreamEnd> {
  const { client } = session;
  const abort = new AbortController();
  const stream = serverStream(client, goPlugin.GRPCStdio.method.streamStdio, {}, { signal: abort.signal });
  const first = stream
    .next()
    .then(
      ({ done }) => ({ isUnimplemented: false, how: done === true ? "ended" : "carried data, which nobody reads" }),
      endOf,
    );
  const end = await Promise.race([first, watched(session)]);
  abort.abort();
  return end;
}

async function watchBroker(session: PluginSession): Promise<StreamEnd> {
  const { client } = session;
  const { startStream } = goPlugin.GRPCBroker.method;
  const { path, requestSerialize, responseDeserialize } = methodDefinition(goPlugin.GRPCBroker, startStream);
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const ended = Promise.withResolvers<StreamEnd>();
  stream.on("data", () => ended.resolve({ isUnimplemented: false, how: "carried data that nobody asked for" }));
  stream.on("end", () => ended.resolve({ isUnimplemented: false, how: "ended" }));
  // An error comes with the end of the stream, a moment after it or before.
  const failed = new Promise<StreamEnd>((resolve) => stream.on("error", (error) => resolve(endOf(error))));
  const orderly = ended.promise.then(async (end) => (await Promise.race([failed, delay(50, undefined)])) ?? end);
  const end = await Promise.race([failed, orderly, watched(session)]);
  stream.cancel();
  return end;
}

function endOf(thrown: unknown): StreamEnd {
  const error = WireError.from(thrown);
  if (error instanceof WireError && error.code === status.UNIMPLEMENTED)
    return { isUnimplemented: true, how: "is not implemented" };
  return { isUnimplemented: false, how: `failed: ${String(error)}` };
}
