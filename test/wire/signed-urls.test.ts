import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { bytesOf } from "./bytes.ts";
import { startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());

describe("signed URLs", { concurrency: true }, () => {
  test("a plain GET is refused once the time to live has passed", async () => {
    const location = await rig.open("url-expired");
    await location.put("contents", Buffer.from("x"));
    const url = await location.store.createSignedUrl(location.at("contents"), 1);
    await delay(2100);

    const answer = await fetch(url);

    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /expired/i);
  });

  test("a URL whose path is changed opens nothing", async () => {
    const location = await rig.open("url-changed");
    await location.put("mine", Buffer.from("x"));
    await location.put("other", Buffer.from("y"));
    const url = await location.store.createSignedUrl(location.at("mine"), 600);

    const answer = await fetch(url.replace("/mine?", "/other?"));

    assert.equal(answer.status, 403);
    await answer.body?.cancel();
  });

  test("a plain GET without a header of ours answers the object's bytes", async () => {
    const location = await rig.open("url-good");
    const body = bytesOf(100_000, "url");
    await location.put("backups/b/b-logs.gz", body);

    const answer = await fetch(await location.store.createSignedUrl(location.at("backups/b/b-logs.gz"), 600));

    assert.equal(answer.status, 200);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(body));
  });

  test("a key of odd characters can be fetched by its URL", async () => {
    const location = await rig.open("url-odd");
    await location.put("größe + 100%/日本語", Buffer.from("odd"));

    const answer = await fetch(await location.store.createSignedUrl(location.at("größe + 100%/日本語"), 600));

    assert.equal(await answer.text(), "odd");
  });

  test("the URL carries the time to live that was asked for", async () => {
    const location = await rig.open("url-ttl");

    const url = new URL(await location.store.createSignedUrl(location.at("contents"), 600));

    assert.equal(url.searchParams.get("X-Amz-Expires"), "600");
  });

  test("publicUrl is the endpoint of the URL, and the location's own one of everything else", async () => {
    const location = await rig.open("url-public", { config: { publicUrl: "http://backups.example.com:9000" } });
    await location.put("contents", Buffer.from("x"));

    const url = new URL(await location.store.createSignedUrl(location.at("contents"), 600));

    assert.equal(url.origin, "http://backups.example.com:9000");
    assert.equal(rig.requestsOf("url-public", "PutObject").length, 1);
  });

  test("a URL is made without a request to the store", async () => {
    const location = await rig.open("url-quiet");

    await location.store.createSignedUrl(location.at("contents"), 600);

    assert.deepEqual(rig.requestsOf("url-quiet"), []);
  });
});
