import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { toldLines } from "../wire/told-lines.ts";
import { startCloudRig } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";
import { armId, startVolumeRig } from "./volume-rig.ts";

const blobs = await startCloudRig();
after(() => blobs.close());
const volumes = await startVolumeRig();
after(() => volumes.close());

// Takes connections and never says a word.
const silent = createServer().listen(0, "127.0.0.1");
await once(silent, "listening");
after(() => void silent.close());
const address = silent.address();
assert.ok(typeof address === "object" && address !== null);
const hole = `https://127.0.0.1:${address.port}`;

describe("a service that does not answer", { concurrency: true, timeout: 240_000 }, () => {
  test("an authority that is silent does not outlast apiTimeout", async () => {
    const config = { apiTimeout: "1s", activeDirectoryAuthorityURI: hole };
    const snapshotter = await volumes.open({ session: volumes.start(), config });
    const began = performance.now();

    const error = await failureOf(snapshotter.deleteSnapshot(armId("snapshots", "any")));

    assert.equal(error.kind, "timeout");
    assert.match(error.message, /no answer within 1 s.*apiTimeout/);
    // The SDK itself would wait for minutes.
    assert.ok(performance.now() - began < 60_000);
  });

  test("a location whose Resource Manager is silent is reached at the usual endpoint", async () => {
    // The usual endpoint is on the internet: a proxy that is not there keeps the test off it.
    const session = blobs.start({ HTTPS_PROXY: "http://127.0.0.1:1" });
    const location = await blobs.open("silent-arm", {
      session,
      config: { useAAD: "true", endpoint: hole },
      lines: ownerLines,
      without: ["storageAccountURI"],
    });

    const error = await failureOf(location.list());

    assert.match(error.message, /flotilla\.blob\.core\.windows\.net.* through the proxy/);
    const [told] = await toldLines(session, /the usual one is used/);
    assert.match(told?.fields["reason"] ?? "", /no answer of Azure Resource Manager within 20 s/);
  });
});
