import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { GoogleAuth, Impersonated, OAuth2Client } from "google-auth-library";

import { startGoogleIdentity } from "../google-identity/start-identity.ts";
import { GcsContext } from "../probes/gcs/context.ts";
import { startGcs } from "./start-gcs.ts";

const email = "velero@flotilla.iam.gserviceaccount.com";
const bucket = "signed";
const stateDir = await mkdtemp(join(tmpdir(), "gcs-signed-"));
const identity = await startGoogleIdentity({ serviceAccounts: [{ email, tokenCreators: [email] }] });
const { tokens } = identity;
const gcs = await startGcs({ stateDir, tokens, buckets: [bucket] });
const context = new GcsContext({ endpoint: gcs.url, projectId: "flotilla", token: tokens.issue(email) });
await context.put("content", context.storage.bucket(bucket), "object");
// A key file holds texts only.
const keyFile = JSON.parse(identity.serviceAccountKey(email)) as Record<string, string>;
const privateKey = keyFile["private_key"] ?? "";
after(async () => {
  await gcs.close();
  await identity.close();
  await rm(stateDir, { recursive: true });
});

interface Wanted {
  readonly account?: string;
  readonly key?: string;
  readonly expires?: number;
  readonly date?: Date;
  readonly algorithm?: string;
  readonly signedHeaders?: string;
  readonly method?: string;
}

/** Signs a URL step by step, so that each step can be a wrong one. */
function signedUrl(wanted: Wanted = {}): string {
  const { account = email, key = privateKey, expires = 60, date = new Date(), method = "GET" } = wanted;
  const { algorithm = "GOOG4-RSA-SHA256", signedHeaders = "host" } = wanted;
  const time = date.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/auto/storage/goog4_request`;
  const query = [
    ["X-Goog-Algorithm", algorithm],
    ["X-Goog-Credential", `${account}/${scope}`],
    ["X-Goog-Date", time],
    ["X-Goog-Expires", String(expires)],
    ["X-Goog-SignedHeaders", signedHeaders],
  ].map(([name = "", value = ""]) => `${name}=${encodeURIComponent(value)}`);
  const path = `/${bucket}/object`;
  const host = signedHeaders.includes("host") ? `host:${new URL(gcs.url).host}\n` : "";
  const canonical = [method, path, query.join("&"), host, signedHeaders, "UNSIGNED-PAYLOAD"].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  const signature = sign("sha256", Buffer.from([algorithm, time, scope, hash].join("\n")), key).toString("hex");
  return `${gcs.url}${path}?${query.join("&")}&X-Goog-Signature=${signature}`;
}

async function codeOf(url: string, method = "GET"): Promise<string> {
  const answer = await fetch(url, { method });
  const text = await answer.text();
  return `${answer.status} ${/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? text}`.trim();
}

describe("signed URLs of the GCS stand-in", () => {
  const { privateKey: stranger } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const refused: readonly (readonly [string, Wanted, string])[] = [
    ["of another key", { key: stranger.export({ type: "pkcs8", format: "pem" }) }, "403 SignatureDoesNotMatch"],
    ["of an account that does not exist", { account: "x@y.iam.gserviceaccount.com" }, "403 SignatureDoesNotMatch"],
    ["for another method", { method: "PUT" }, "403 SignatureDoesNotMatch"],
    ["whose time is over", { date: new Date(Date.now() - 61_000) }, "400 ExpiredToken"],
    ["of the future", { date: new Date(Date.now() + 1_200_000) }, "403 AccessDenied"],
    ["for no time at all", { expires: 0 }, "400 MalformedSecurityHeader"],
    ["for more than seven days", { expires: 604_801 }, "400 MalformedSecurityHeader"],
    ["of another algorithm", { algorithm: "GOOG4-HMAC-SHA256" }, "400 MalformedSecurityHeader"],
    ["without the host among what is signed", { signedHeaders: "x-other" }, "400 MalformedSecurityHeader"],
  ];
  for (const [what, wanted, code] of refused) {
    test(`a URL ${what} is ${code}`, async () => {
      assert.equal(await codeOf(signedUrl(wanted)), code);
    });
  }

  test("a URL for a second, and for seven days, is good", async () => {
    assert.equal(await codeOf(signedUrl({ expires: 1 })), "200 content");
    assert.equal(await codeOf(signedUrl({ expires: 604_800 })), "200 content");
  });

  test("a URL gives no more than its account may do", async () => {
    const allow = gcs.deny({ permissions: ["storage.objects.get"], member: email });

    assert.equal(await codeOf(signedUrl()), "403 AccessDenied");
    allow();
  });

  test("a URL of a key that was deleted since is refused", async () => {
    const other = JSON.parse(identity.serviceAccountKey(email)) as Record<string, string>;
    const url = signedUrl({ key: other["private_key"] ?? "" });
    assert.equal(await codeOf(url), "200 content");

    identity.directory.deleteKey(email, other["private_key_id"] ?? "");

    assert.equal(await codeOf(url), "403 SignatureDoesNotMatch");
  });

  test("a URL that Google's client had signed by IAM is good", async () => {
    const sourceClient = new OAuth2Client();
    sourceClient.setCredentials({ access_token: tokens.issue(email) });
    const authClient = new Impersonated({ sourceClient, targetPrincipal: email, endpoint: identity.url });
    const storage = context.newStorage({ authClient: new GoogleAuth({ authClient }) });

    const [url] = await storage
      .bucket(bucket)
      .file("object")
      .getSignedUrl({ version: "v4", action: "read", expires: Date.now() + 60_000 });

    assert.equal(await codeOf(url), "200 content");
  });
});
