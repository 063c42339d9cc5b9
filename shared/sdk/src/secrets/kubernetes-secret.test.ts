import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isKind } from "../plugin/index.ts";
import { startStubKubernetes } from "../testing/index.ts";
import { readKubernetesSecret } from "./kubernetes-secret.ts";

type SecretRequest = Parameters<typeof readKubernetesSecret>[0];

/** What asks for the one Secret of a cluster that answers so. */
async function secretRequest(t: TestContext, status: number, data: object): Promise<SecretRequest> {
  const cluster = await startStubKubernetes(t, ({ url }) => ({
    status: url === "/api/v1/namespaces/velero/secrets/s" ? status : 418,
    body: JSON.stringify({ kind: "Secret", data }),
  }));
  return { name: "s", key: "k", signal: new AbortController().signal, ...cluster };
}

test("a Secret's value is read with the pod's service account", async (t) => {
  const request = await secretRequest(t, 200, { k: Buffer.from("value").toString("base64") });

  assert.equal((await readKubernetesSecret(request)).toString(), "value");
});

test("a Secret without the key, and one that may not be read, are told apart", async (t) => {
  const lacking = await secretRequest(t, 200, {});
  const forbidden = await secretRequest(t, 403, {});

  await assert.rejects(readKubernetesSecret(lacking), (error) => isKind(error, "invalid-config"));
  await assert.rejects(readKubernetesSecret(forbidden), (error) => isKind(error, "denied"));
});
