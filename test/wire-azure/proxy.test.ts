import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { failureOf } from "../wire/bytes.ts";
import { startConnectProxy } from "../wire/connect-proxy.ts";
import { accountKey, startCloudRig } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";

const rig = await startCloudRig();
after(() => rig.close());
const { port } = new URL(rig.blob.url);

// Go never asks a proxy for loopback, so the store is given a name that is not.
const beyond = { storageAccountURI: "https://store.invalid/flotilla", insecureSkipTLSVerify: "true" };
const withKey = { lines: { AZURE_STORAGE_KEY: accountKey } };

describe("proxies, by Go's rules", { concurrency: true, timeout: 600_000 }, () => {
  test("HTTPS_PROXY is used for a store beyond it", async () => {
    const proxy = await startConnectProxy(Number(port));
    rig.own(proxy);
    const session = rig.start({ HTTPS_PROXY: proxy.url });
    const location = await rig.open("proxied", { ...withKey, config: beyond, session });

    await location.put("contents", Buffer.from("through the proxy"));

    assert.equal((await location.get("contents")).toString(), "through the proxy");
    assert.deepEqual([...new Set(proxy.destinations)], ["store.invalid:443"]);
  });

  test("tokens are asked for through the proxy as well", async () => {
    const proxy = await startConnectProxy(Number(new URL(rig.arm.authorityUrl).port));
    rig.own(proxy);
    const session = rig.start({ HTTPS_PROXY: proxy.url });
    const config = {
      useAAD: "true",
      insecureSkipTLSVerify: "true",
      activeDirectoryAuthorityURI: "https://login.invalid",
    };
    const location = await rig.open("proxied-token", { lines: ownerLines, config, session });

    // The authority's documents name its real host, which is loopback: only they come through the proxy.
    assert.deepEqual(await location.list(), []);
    assert.deepEqual([...new Set(proxy.destinations)], ["login.invalid:443"]);
  });

  test("NO_PROXY keeps a store from the proxy, and loopback is never asked of one", async () => {
    const proxy = await startConnectProxy(Number(port));
    rig.own(proxy);
    const session = rig.start({ HTTPS_PROXY: proxy.url, NO_PROXY: "10.0.0.0/8" });
    const location = await rig.open("not-proxied", { ...withKey, session });

    assert.deepEqual(await location.list(), []);
    assert.deepEqual(proxy.destinations, []);
  });

  test("a proxy that cannot be reached is named in the error, without its password", async () => {
    const session = rig.start({ HTTPS_PROXY: "http://user:proxy-password@127.0.0.1:1" });
    const location = await rig.open("no-proxy-there", { ...withKey, config: beyond, session });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /store\.invalid through the proxy 127\.0\.0\.1:1/);
    assert.doesNotMatch(error.message, /proxy-password/);
  });
});
