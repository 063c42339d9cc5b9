import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { bytesOf, failureOf } from "../wire/bytes.ts";
import { owner, startGcsRig } from "./gcs-rig.ts";
import type { LocationOptions } from "./gcs-rig.ts";

const signer = "signer@flotilla.iam.gserviceaccount.com";
const rig = await startGcsRig();
after(() => rig.close());
rig.identity.directory.addServiceAccount({ email: owner, tokenCreators: [owner] });
rig.identity.directory.addServiceAccount({ email: signer, tokenCreators: [owner] });
rig.identity.setMachine({ projectId: "flotilla", serviceAccount: owner });
const node = rig.start({
  ...rig.identity.metadataEnvironment,
  CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: rig.identity.url,
});
const metadata: LocationOptions = { session: node, without: ["credentialsFile"] };

const ways: readonly (readonly [string, LocationOptions, string])[] = [
  ["key", {}, owner],
  ["node", metadata, owner],
  ["node-as-another", { ...metadata, config: { serviceAccount: signer } }, signer],
];

for (const [way, options, email] of ways) {
  describe(`signed URLs of a location with the identity of a ${way}`, { concurrency: true, timeout: 240_000 }, () => {
    test("a plain GET is refused once the time to live has passed", async () => {
      const location = await rig.open(`${way}-expired`, options);
      await location.put("contents", Buffer.from("x"));
      const url = await location.store.createSignedUrl(location.at("contents"), 1);
      await delay(2100);

      const answer = await fetch(url);

      assert.equal(answer.status, 400);
      assert.match(await answer.text(), /ExpiredToken/);
    });

    test("a URL whose path is changed opens nothing", async () => {
      const location = await rig.open(`${way}-changed`, options);
      await location.put("mine", Buffer.from("x"));
      await location.put("other", Buffer.from("y"));
      const url = await location.store.createSignedUrl(location.at("mine"), 600);

      const answer = await fetch(url.replace("/mine?", "/other?"));

      assert.equal(answer.status, 403);
      await answer.body?.cancel();
    });

    test("a URL neither writes nor deletes", async () => {
      const location = await rig.open(`${way}-read-only`, options);
      await location.put("contents", Buffer.from("x"));
      const url = await location.store.createSignedUrl(location.at("contents"), 600);

      const answers = await Promise.all([fetch(url, { method: "DELETE" }), fetch(url, { method: "PUT", body: "y" })]);

      assert.ok(answers.every(({ status }) => status >= 400));
      assert.equal((await location.get("contents")).toString(), "x");
    });

    test("a plain GET without a header of ours answers the object's bytes", async () => {
      const location = await rig.open(`${way}-good`, options);
      const body = bytesOf(100_000, "url");
      await location.put("backups/b/b-logs.gz", body);

      const answer = await fetch(await location.store.createSignedUrl(location.at("backups/b/b-logs.gz"), 600));

      assert.equal(answer.status, 200);
      assert.ok(Buffer.from(await answer.arrayBuffer()).equals(body));
    });

    test("a key of odd characters can be fetched by its URL", async () => {
      const location = await rig.open(`${way}-odd`, options);
      const key = "größe + 100%/it's (日本語)*!";
      await location.put(key, Buffer.from("odd"));

      const answer = await fetch(await location.store.createSignedUrl(location.at(key), 600));

      assert.equal(await answer.text(), "odd");
    });

    test("it is of version 4, by the account, on the host of storeEndpoint", async () => {
      const location = await rig.open(`${way}-form`, options);

      const url = new URL(await location.store.createSignedUrl(location.at("contents"), 600));

      assert.equal(url.origin, rig.gcs.url);
      const query = url.searchParams;
      assert.equal(query.get("X-Goog-Algorithm"), "GOOG4-RSA-SHA256");
      assert.ok(query.get("X-Goog-Credential")?.startsWith(`${email}/`));
      assert.equal(query.get("X-Goog-Expires"), "600");
    });

    test("a time to live beyond a week is refused", async () => {
      const location = await rig.open(`${way}-too-long`, options);

      const error = await failureOf(location.store.createSignedUrl(location.at("contents"), 8 * 24 * 3600));

      assert.equal(error.kind, "invalid-argument");
    });
  });
}

describe("what signing needs", { concurrency: true, timeout: 240_000 }, () => {
  test("with a private key it needs no request", async () => {
    const location = await rig.open("quiet");

    await location.store.createSignedUrl(location.at("contents"), 600);

    assert.deepEqual(rig.requestsOf("quiet"), []);
  });

  test("without storeEndpoint the URL is on the universe's host", async () => {
    const config = { universeDomain: "apis-berlin.example" };
    const location = await rig.open("universe", { config, without: ["storeEndpoint"] });

    const url = new URL(await location.store.createSignedUrl(location.at("a/b"), 600));

    assert.equal(url.host, "storage.apis-berlin.example");
    assert.equal(url.pathname, "/universe/a/b");
  });

  for (const [endpoint, host] of [
    ["storage-velero.p.googleapis.com", "storage.googleapis.com"],
    ["https://storage-velero.p.googleapis.com/storage/v1/", "storage.googleapis.com"],
    ["storage.europe-west3.rep.googleapis.com", "storage.europe-west3.rep.googleapis.com"],
    ["https://gcs.example.com:8443", "gcs.example.com:8443"],
  ] as const) {
    test(`with the storeEndpoint ${endpoint} a URL is for those outside of its network: on ${host}`, async () => {
      const location = await rig.open(`at-${new URL(`https://${host}`).hostname}`, {
        config: { storeEndpoint: endpoint },
        bucketIs: "missing",
      });

      const url = new URL(await location.store.createSignedUrl(location.at("contents"), 600));

      assert.equal(url.host, host);
    });
  }

  test("IAM that is throttled for a moment is asked again", async () => {
    const location = await rig.open("throttled", metadata);
    await location.put("contents", Buffer.from("signed"));
    const fault = { kind: "error", status: 429, code: "RESOURCE_EXHAUSTED" } as const;
    const storm = rig.identity.faults.add(fault, { operation: "SignBlob" }, { times: 2 });

    const answer = await fetch(await location.store.createSignedUrl(location.at("contents"), 600));

    assert.equal(await answer.text(), "signed");
    assert.equal(storm.hits, 2);
  });

  test("an account that the identity may not sign as is denied, with the role to grant", async () => {
    rig.identity.directory.addServiceAccount({ email: "closed@flotilla.iam.gserviceaccount.com" });
    const config = { serviceAccount: "closed@flotilla.iam.gserviceaccount.com" };
    const location = await rig.open("no-signing", { ...metadata, config });

    const error = await failureOf(location.store.createSignedUrl(location.at("contents"), 600));

    assert.equal(error.kind, "denied");
    assert.match(
      error.message,
      /sign as the service account "closed@.*Permission.*denied.*Service Account Token Creator/,
    );
  });
});
