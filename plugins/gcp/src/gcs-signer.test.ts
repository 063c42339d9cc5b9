import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { Storage } from "@google-cloud/storage";
import * as fc from "fast-check";
import { describeRequest, encodePath } from "./gcs-signer.ts";
import { signWithKey } from "./oauth.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = privateKey.export({ type: "pkcs8", format: "pem" });
const email = "velero@p.iam.gserviceaccount.com";
const host = "storage.googleapis.com";
const storage = new Storage({ projectId: "p", credentials: { client_email: email, private_key: pem } });

function signText(text: string): Buffer {
  return signWithKey({ kind: "service-account", email, keyId: undefined, privateKey: pem, tokenUri: "" }, text);
}

async function theirs(bucket: string, key: string, now: Date, seconds: number): Promise<string> {
  const [url] = await storage
    .bucket(bucket)
    .file(key)
    .getSignedUrl({ version: "v4", action: "read", accessibleAt: now, expires: now.getTime() + seconds * 1000 });
  return url;
}

function ours(bucket: string, key: string, now: Date, seconds: number): string {
  const path = `/${encodePath(bucket)}/${encodePath(key)}`;
  const { query, text } = describeRequest({ host, path, email, seconds, now });
  return `https://${host}${path}?${query}&X-Goog-Signature=${signText(text).toString("hex")}`;
}

/** The parts of a URL that are sent, in an order of their own. */
function parts(url: string): readonly string[] {
  const [path = "", query = ""] = url.split("?");
  return [path, ...query.split("&").map(decodeURIComponent).toSorted()];
}

test("a signed URL is the one that Google's client signs, whatever the key", async () => {
  // The client's own URL class takes "." and ".." between slashes away after it has signed them.
  const keys = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter((key) => key.isWellFormed() && !key.split("/").some((part) => part === "." || part === ".."));
  const times = fc.date({ min: new Date(Date.now()), max: new Date(Date.now() + 1e9), noInvalidDate: true });
  await fc.assert(
    fc.asyncProperty(keys, times, fc.integer({ min: 1, max: 604_800 }), async (key, time, seconds) => {
      const now = new Date(Math.floor(time.getTime() / 1000) * 1000 + 3_600_000);
      assert.deepEqual(parts(ours("bucket", key, now, seconds)), parts(await theirs("bucket", key, now, seconds)));
    }),
    { numRuns: 60 },
  );
});

test("slashes of a key stay, and everything that a URL could mean otherwise is encoded", () => {
  assert.equal(encodePath("a/b c+d%e?f#g/'(*)!"), "a/b%20c%2Bd%25e%3Ff%23g/%27%28%2A%29%21");
});
