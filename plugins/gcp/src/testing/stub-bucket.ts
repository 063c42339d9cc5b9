import type { TestContext } from "node:test";
import { silentLogger } from "@flotilla/sdk/plugin";
import { startStubServer } from "@flotilla/sdk/testing";
import type { SeenRequest, StubAnswer, StubServer } from "@flotilla/sdk/testing";
import { openConnection } from "../client.ts";
import { translateStorageAnswer } from "../errors.ts";
import { GcsBlobDriver } from "../gcs-blob-driver.ts";
import { GcsSession } from "../gcs-session.ts";
import { GcsSigner } from "../gcs-signer.ts";

/** A driver of the bucket "b" in a store that answers what the test says. */
export interface StubBucket extends StubServer {
  readonly driver: GcsBlobDriver;
}

/** Opens a driver on a scripted store, without credentials. */
export async function openStubBucket(
  t: TestContext,
  answer: (request: SeenRequest) => StubAnswer,
): Promise<StubBucket> {
  const server = await startStubServer(t, answer);
  const connection = await openConnection(
    {
      credentialsFile: undefined,
      universeDomain: undefined,
      caCert: undefined,
      insecureSkipVerify: false,
      identity: { kind: "anonymous" },
    },
    { log: silentLogger, env: {}, signal: new AbortController().signal },
  );
  t.after(() => connection.close());
  const session = new GcsSession({
    bucket: "b",
    endpoint: server.url,
    api: connection.api("scope", translateStorageAnswer),
  });
  const signer = new GcsSigner({ connection, serviceAccount: undefined, iamEndpoint: undefined });
  const settings = { metadata: {}, query: {}, customerKey: {} };
  return { ...server, driver: new GcsBlobDriver({ session, settings, signer }) };
}

/** An error answer of the JSON API. */
export function gcsError(status: number, reason: string, message = reason): StubAnswer {
  const error = { code: status, message, errors: [{ domain: "global", reason, message }] };
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify({ error }) };
}

/** An answer of the JSON API. */
export function json(body: unknown): StubAnswer {
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
