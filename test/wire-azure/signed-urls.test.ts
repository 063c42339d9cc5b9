import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { azureDefaults } from "@flotilla/test/emulators";

import { bytesOf, failureOf } from "../wire/bytes.ts";
import { startCloudRig } from "./blob-rig.ts";
import type { LocationOptions } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";

const { tenantId } = azureDefaults;
const rig = await startCloudRig({
  account: { roles: { "object-owner": "contributor", "object-none": "none" } },
  identity: {
    applications: [
      { tenantId, clientId: azureDefaults.clientId, objectId: "object-owner", secrets: [azureDefaults.clientSecret] },
      { tenantId, clientId: "none", objectId: "object-none", secrets: ["none-secret"] },
    ],
  },
});
after(() => rig.close());

const ways: readonly (readonly [string, LocationOptions])[] = [
  ["key", {}],
  ["token", { lines: ownerLines, config: { useAAD: "true" } }],
];

for (const [way, options] of ways) {
  describe(`signed URLs of a location with an access ${way}`, { concurrency: true, timeout: 240_000 }, () => {
    test("a plain GET is refused once the time to live has passed", async () => {
      const location = await rig.open(`${way}-expired`, options);
      await location.put("contents", Buffer.from("x"));
      const url = await location.store.createSignedUrl(location.at("contents"), 1);
      await delay(2100);

      const answer = await fetch(url);

      assert.equal(answer.status, 403);
      assert.match(await answer.text(), /AuthenticationFailed/);
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

      const answers = await Promise.all([
        fetch(url, { method: "DELETE" }),
        fetch(url, { method: "PUT", body: "y", headers: { "x-ms-blob-type": "BlockBlob" } }),
      ]);

      assert.deepEqual(
        answers.map(({ status }) => status),
        [403, 403],
      );
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
      await location.put("größe + 100%/日本語", Buffer.from("odd"));

      const answer = await fetch(await location.store.createSignedUrl(location.at("größe + 100%/日本語"), 600));

      assert.equal(await answer.text(), "odd");
    });

    test("it is for https and for reading only, and valid from ten minutes ago to the end of its time", async () => {
      const location = await rig.open(`${way}-form`, options);
      const now = Date.now();

      const { searchParams: query } = new URL(await location.store.createSignedUrl(location.at("contents"), 600));

      assert.deepEqual([query.get("spr"), query.get("sp"), query.get("sr")], ["https", "r", "b"]);
      assert.ok(Math.abs(Date.parse(query.get("st") ?? "") - (now - 600_000)) < 120_000);
      assert.ok(Math.abs(Date.parse(query.get("se") ?? "") - (now + 600_000)) < 120_000);
    });

    test("a time to live beyond a week is refused", async () => {
      const location = await rig.open(`${way}-too-long`, options);

      const error = await failureOf(location.store.createSignedUrl(location.at("contents"), 8 * 24 * 3600));

      assert.equal(error.kind, "invalid-argument");
      assert.doesNotMatch(error.message, /sig=/);
    });
  });
}

describe("what signing needs", { concurrency: true }, () => {
  test("with an access key it needs no request", async () => {
    const location = await rig.open("quiet");

    await location.store.createSignedUrl(location.at("contents"), 600);

    assert.deepEqual(rig.requestsOf("quiet"), []);
  });

  test("an identity that may not delegate is denied with the role to grant", async () => {
    const lines = { ...ownerLines, AZURE_CLIENT_ID: "none", AZURE_CLIENT_SECRET: "none-secret" };
    const location = await rig.open("no-delegation", { lines, config: { useAAD: "true" } });

    const error = await failureOf(location.store.createSignedUrl(location.at("contents"), 600));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /sign a URL of object "contents".*Storage Blob Delegator/);
  });
});
