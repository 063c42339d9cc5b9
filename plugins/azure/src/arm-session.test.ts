import assert from "node:assert/strict";
import { test } from "node:test";
import { createHttpHeaders } from "@azure/core-rest-pipeline";
import type { HttpClient } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { PluginError } from "@flotilla/sdk/plugin";
import { ArmSession } from "./arm-session.ts";
import { ArmManagedDiskApi } from "./managed-disk-api.ts";
import { quietCall } from "./testing/call.ts";

const disk = { subscription: "s", resourceGroup: "g", type: "disks", name: "d" } as const;

function open(credential: TokenCredential, location = "westeurope"): ArmManagedDiskApi {
  const httpClient: HttpClient = {
    sendRequest: async (request) => ({
      status: 200,
      headers: createHttpHeaders(),
      bodyAsText: JSON.stringify({ name: "d", location }),
      request,
    }),
  };
  const session = new ArmSession(credential, {
    endpoint: "https://arm.example",
    credentials: { scopes: ["https://arm.example/.default"] },
    httpClient,
    retryOptions: { maxRetries: 0 },
    userAgentOptions: { userAgentPrefix: "test" },
  });
  return new ArmManagedDiskApi(session);
}

test("a call that ends does not wait for a token, and another call that waits for it gets it", async () => {
  const token = Promise.withResolvers<{ readonly token: string; readonly expiresOnTimestamp: number }>();
  const api = open({ getToken: async () => await token.promise });
  const ended = new AbortController();
  const over = new PluginError("no answer within 120 s", { kind: "timeout" });

  const first = api.getDisk(disk, { ...quietCall, signal: ended.signal });
  const second = api.getDisk(disk, quietCall);
  ended.abort(over);

  await assert.rejects(first, over);
  token.resolve({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 });
  assert.equal((await second).location, "westeurope");
});

test("a region is named as zones begin with it, whatever the answer calls it", async () => {
  const api = open(
    { getToken: async () => ({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 }) },
    "West Europe",
  );

  const [{ location }, snapshot] = [
    await api.getDisk(disk, quietCall),
    await api.getSnapshot({ ...disk, type: "snapshots" }, quietCall),
  ];

  assert.deepEqual([location, snapshot.location], ["westeurope", "westeurope"]);
});

test("a page that is answered to a creation is no snapshot", async () => {
  const api = open({ getToken: async () => ({ token: "t", expiresOnTimestamp: Date.now() + 3_600_000 }) });
  const snapshot = { ...disk, type: "snapshots" } as const;

  await assert.rejects(api.createSnapshot(snapshot, { location: "westeurope" }, quietCall), /not the service's/);
});
