import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startCloudRig } from "./blob-rig.ts";
import type { LocationOptions } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";

const ways: readonly (readonly [string, LocationOptions])[] = [
  ["an access key", {}],
  ["a key that is asked for", { lines: ownerLines, without: ["storageAccountURI"] }],
  ["tokens", { lines: ownerLines, without: ["storageAccountURI"], config: { useAAD: "true" } }],
];

function bucketOf(way: string): string {
  return way.replaceAll(" ", "-");
}

// What the official plugin asks for, and nothing newer.
const rig = await startCloudRig({
  account: { containers: ways.map(([way]) => bucketOf(way)) },
  newestVersion: "2025-05-05",
  apiVersions: ["2023-05-01", "2024-01-01"],
});
after(() => rig.close());

describe("a cloud that learns of API versions late", { concurrency: true, timeout: 60_000 }, () => {
  for (const [way, options] of ways)
    test(`keeps, gives back, lists, signs and deletes objects with ${way}`, async () => {
      const config = { ...smallParts, ...options.config };
      const location = await rig.open(bucketOf(way), { ...options, config, bucketIs: "there" });
      const body = bytesOf(2 * smallPartBytes, way);

      await location.put("small", Buffer.from("x"));
      await location.put("in blocks", body);
      const answer = await fetch(await location.store.createSignedUrl(location.at("in blocks"), 600));

      assert.ok(Buffer.from(await answer.arrayBuffer()).equals(body));
      assert.ok((await location.get("in blocks")).equals(body));
      assert.equal(await location.exists("small"), true);
      await location.store.deleteObject(location.at("small"));
      assert.deepEqual(await location.list(), ["in blocks"]);
    });
});
