import type { TestContext } from "node:test";
import { parseConfig } from "@flotilla/sdk/plugin";
import { startStubServer } from "@flotilla/sdk/testing";
import type { SeenRequest, StubAnswer, StubServer } from "@flotilla/sdk/testing";
import { AzureBlobDriver } from "../azure-blob-driver.ts";
import { AzureBlobSession } from "../azure-blob-session.ts";
import { blobSettings } from "../azure-blob-settings.ts";
import { openConnection } from "../client.ts";
import { objectStoreConfig } from "../config.ts";
import { StorageAccount } from "../storage-account.ts";
import { contextWith } from "./call.ts";
import { writeCredentials } from "./credentials-file.ts";

/** A driver of container `ccc` that talks to a stub server, with one try a request. */
export async function openStubContainer(
  t: TestContext,
  answer: (request: SeenRequest) => StubAnswer,
  keys: Readonly<Record<string, string>> = {},
): Promise<{ readonly server: StubServer; readonly session: AzureBlobSession; readonly driver: AzureBlobDriver }> {
  const server = await startStubServer(t, answer);
  const config = parseConfig(objectStoreConfig, {
    bucket: "ccc",
    storageAccountURI: `${server.url.origin}/account`,
    credentialsFile: await writeCredentials(t, "AZURE_STORAGE_KEY=c2VjcmV0"),
    ...keys,
  });
  const connection = await openConnection({ ...config, insecureSkipVerify: false }, contextWith());
  t.after(() => connection.close());
  const account = await StorageAccount.open(config, connection);
  const session = new AzureBlobSession({ bucket: "ccc", account, httpClient: connection.httpClient, maxTries: 1 });
  const settings = blobSettings(config, undefined);
  return { server, session, driver: new AzureBlobDriver({ session, settings, firstPartBytes: undefined }) };
}

/** An answer that Blob Storage refuses with. */
export function blobError(status: number, code: string, headers: StubAnswer["headers"] = {}): StubAnswer {
  return {
    status,
    headers: { "content-type": "application/xml", "x-ms-error-code": code, "x-ms-request-id": "REQ1", ...headers },
    body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>m</Message></Error>`,
  };
}
