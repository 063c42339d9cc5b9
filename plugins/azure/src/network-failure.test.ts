import assert from "node:assert/strict";
import { test } from "node:test";
import { createPipelineRequest, RestError } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";
import { BlobServiceClient, newPipeline } from "@azure/storage-blob";
import { isKind } from "@flotilla/sdk/plugin";
import { ArmSession } from "./arm-session.ts";
import { translateBlobError } from "./errors.ts";
import { ArmManagedDiskApi } from "./managed-disk-api.ts";
import { describeFailure } from "./network-failure.ts";
import { quietCall } from "./testing/call.ts";

/** An HTTP client that fails always, as the transport hands it on. */
function failing(code: string): { readonly httpClient: HttpClient; readonly seen: { requests: number } } {
  const seen = { requests: 0 };
  const sendRequest: HttpClient["sendRequest"] = async (request) => {
    seen.requests += 1;
    throw describeFailure(new RestError("lost", { code, request }), request, "store.example:443");
  };
  return { seen, httpClient: { sendRequest } };
}

async function askArm(code: string): Promise<{ readonly requests: number; readonly error: unknown }> {
  const { httpClient, seen } = failing(code);
  const credential = { getToken: async () => ({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const session = new ArmSession(credential, {
    endpoint: "https://arm.example",
    credentials: { scopes: ["https://arm.example/.default"] },
    httpClient,
    retryOptions: { maxRetries: 1 },
    userAgentOptions: { userAgentPrefix: "test" },
  });
  const disk = { subscription: "s", resourceGroup: "g", type: "disks", name: "d" } as const;
  const error: unknown = await new ArmManagedDiskApi(session).getDisk(disk, quietCall).catch((error: unknown) => error);
  return { requests: seen.requests, error };
}

async function askBlobs(code: string): Promise<{ readonly requests: number; readonly error: unknown }> {
  const { httpClient, seen } = failing(code);
  const pipeline = newPipeline(undefined, { retryOptions: { maxTries: 2, retryDelayInMs: 1 } });
  Object.assign(pipeline, { _coreHttpClient: httpClient });
  const client = new BlobServiceClient("https://store.example", pipeline).getContainerClient("ccc");
  const error: unknown = await client.exists().catch((error: unknown) => error);
  return { requests: seen.requests, error: translateBlobError(error, { action: "look", permission: "" }) };
}

for (const code of ["EAI_AGAIN", "EPIPE", "EHOSTUNREACH", "ENETUNREACH", "ERR_PROXY_TUNNEL", "ECONNRESET"]) {
  for (const [service, ask] of [
    ["Resource Manager", askArm],
    ["Blob Storage", askBlobs],
  ] as const) {
    test(`${code} on the way to ${service} is tried again, and is what the message tells`, async () => {
      const { requests, error } = await ask(code);

      assert.equal(requests, 2);
      assert.ok(isKind(error, "unavailable"));
      assert.match(error.message, new RegExp(`\\(${code} store\\.example:443\\)`));
    });
  }
}

test("nothing is tried again for a call that was cancelled, or where there is no metadata service", () => {
  const cancelled = createPipelineRequest({ url: "https://a.example", abortSignal: AbortSignal.abort() });
  const metadata = createPipelineRequest({ url: "http://169.254.169.254/metadata/identity" });

  for (const request of [cancelled, metadata]) {
    const error = new RestError("lost", { code: "EHOSTUNREACH", request });

    assert.equal(describeFailure(error, request, "host"), error);
  }
});
