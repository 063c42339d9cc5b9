import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { isKind } from "../plugin/index.ts";
import { loopbackCertificate } from "../testing/index.ts";
import { readKubernetesSecret } from "./kubernetes-secret.ts";

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "secret-"));
  await writeFile(join(folder, "token"), "TOKEN\n");
  await writeFile(join(folder, "ca.crt"), loopbackCertificate.cert);
});

after(async () => {
  await rm(folder, { recursive: true });
});

async function startKubernetes(t: TestContext, status: number, data: object): Promise<Record<string, string>> {
  const server = createServer(loopbackCertificate, (request, response) => {
    const isRight =
      request.url === "/api/v1/namespaces/velero/secrets/s" && request.headers.authorization === "Bearer TOKEN";
    response.writeHead(isRight ? status : 418).end(JSON.stringify({ kind: "Secret", data }));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  return { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(port), VELERO_NAMESPACE: "velero" };
}

function secretRequest(env: Record<string, string>, key = "k"): Parameters<typeof readKubernetesSecret>[0] {
  return { name: "s", key, env, signal: new AbortController().signal, serviceAccountFolder: folder };
}

test("a Secret's value is read with the pod's service account", async (t) => {
  const env = await startKubernetes(t, 200, { k: Buffer.from("value").toString("base64") });

  assert.equal((await readKubernetesSecret(secretRequest(env))).toString(), "value");
});

test("a Secret without the key, and one that may not be read, are told apart", async (t) => {
  const lacking = await startKubernetes(t, 200, {});
  const forbidden = await startKubernetes(t, 403, {});

  await assert.rejects(readKubernetesSecret(secretRequest(lacking)), (error) => isKind(error, "invalid-config"));
  await assert.rejects(readKubernetesSecret(secretRequest(forbidden)), (error) => isKind(error, "denied"));
});
