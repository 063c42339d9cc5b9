import assert from "node:assert/strict";

import type { Probe } from "../probe.ts";
import { jsonOf, reasonOf } from "./context.ts";
import type { GcsContext } from "./context.ts";

// Of a server that looks at no tokens the URL still has to be made; nobody knows this account.
async function signer(context: GcsContext): Promise<GcsContext["storage"]> {
  const { serviceAccountKey } = context.target;
  if (serviceAccountKey === undefined) {
    const { generateKeyPairSync } = await import("node:crypto");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const private_key = privateKey.export({ type: "pkcs8", format: "pem" });
    return context.newStorage({ credentials: { client_email: "nobody@nowhere.iam.gserviceaccount.com", private_key } });
  }
  // A key file holds these.
  const credentials = JSON.parse(serviceAccountKey) as { client_email: string; private_key: string };
  return context.newStorage({ credentials });
}

async function signedUrl(
  context: GcsContext,
  file: string,
  version: "v2" | "v4" = "v4",
  expires: Date = new Date(Date.now() + 60_000),
): Promise<string> {
  const bucket = (await signer(context)).bucket((await context.shared()).name);
  const accessibleAt = new Date(Math.min(Date.now(), expires.getTime() - 1000));
  const options = version === "v4" ? { accessibleAt } : {};
  const [url] = await bucket.file(file).getSignedUrl({ version, action: "read", expires, ...options });
  return url;
}

/** Buckets, tokens and signed URLs. */
export const accessProbes: readonly Probe<GcsContext>[] = [
  {
    name: "a bucket says its location and class",
    run: async (context) => {
      const bucket = await context.bucket({ location: "EUROPE-WEST1", storageClass: "NEARLINE" });

      const [metadata] = await bucket.getMetadata();

      assert.equal(metadata.location, "EUROPE-WEST1");
      assert.equal(metadata.storageClass, "NEARLINE");
    },
  },
  {
    name: "a bucket is created once",
    run: async (context) => {
      const { name } = await context.shared();

      assert.equal(await reasonOf(context.storage.createBucket(name)), "409 conflict");
    },
  },
  {
    name: "a bucket that is not empty is not deleted",
    run: async (context) => {
      const bucket = await context.bucket();
      await context.put("x", bucket, "x");

      assert.equal(await reasonOf(bucket.delete()), "409 conflict");
      await bucket.file("x").delete();
      await bucket.delete();
      assert.equal((await bucket.exists())[0], false);
    },
  },
  {
    name: "permissions that are held are named",
    run: async (context) => {
      const { name } = await context.shared();
      const path = `/storage/v1/b/${name}/iam/testPermissions?permissions=storage.objects.get&permissions=storage.objects.create`;

      const { permissions } = jsonOf(await context.send("GET", path));

      assert.deepEqual(permissions, ["storage.objects.get", "storage.objects.create"]);
    },
  },
  {
    name: "a token that nobody issued is 401",
    run: async (context) => {
      const { name } = await context.shared();
      const headers = { authorization: "Bearer ya29.wrong" };

      const answer = await context.send("GET", `/storage/v1/b/${name}/o`, { headers });

      assert.equal(answer.status, 401);
      assert.match(answer.body.toString("utf8"), /"authError"/);
    },
  },
  {
    name: "a request without a token is 401 and names the permission",
    run: async (context) => {
      const { name } = await context.shared();
      const answer = await fetch(`${context.target.endpoint}/storage/v1/b/${name}/o`);

      assert.equal(answer.status, 401);
      assert.match(await answer.text(), /Anonymous caller does not have storage\.objects\.list access/);
    },
  },
  ...(["v4", "v2"] as const).map((version): Probe<GcsContext> => ({
    name: `an object is read by a URL signed by ${version}`,
    run: async (context) => {
      const file = await context.put("signed", undefined, `folder/${context.name()} +&?`);

      const answer = await fetch(await signedUrl(context, file.name, version));

      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), "signed");
    },
  })),
  ...(["v4", "v2"] as const).map((version): Probe<GcsContext> => ({
    name: `a URL signed by ${version} is good for its object only`,
    run: async (context) => {
      const [file, other] = await Promise.all([context.put("signed"), context.put("other")]);
      const url = await signedUrl(context, file.name, version);

      const answer = await fetch(url.replace(file.name, other.name));

      assert.equal(answer.status, 403);
      assert.match(await answer.text(), /<Code>SignatureDoesNotMatch<\/Code>/);
    },
  })),
  {
    name: "a URL signed by v4 is 400 ExpiredToken when its time is over",
    run: async (context) => {
      const file = await context.put("signed");
      const url = await signedUrl(context, file.name, "v4", new Date(Date.now() + 2000));

      await new Promise((resolve) => setTimeout(resolve, 3200));
      const answer = await fetch(url);

      assert.equal(answer.status, 400);
      assert.match(await answer.text(), /<Code>ExpiredToken<\/Code>/);
    },
  },
  {
    name: "a URL signed by v4 with another duration is refused",
    run: async (context) => {
      const file = await context.put("signed");
      const url = await signedUrl(context, file.name);

      const answer = await fetch(url.replace(/X-Goog-Expires=\d+/, "X-Goog-Expires=600000"));

      assert.equal(answer.status, 403);
    },
  },
];
