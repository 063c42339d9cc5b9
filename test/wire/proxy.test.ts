import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { failureOf } from "./bytes.ts";
import { startConnectProxy } from "./connect-proxy.ts";
import { startObjectRig } from "./object-rig.ts";

// A name that only the proxy can resolve, in place of a store beyond the cluster's border.
const storeHost = "localhost";
const tls = createThrowawayCertificate("Flotilla test store");
const rig = await startObjectRig({ tls });
after(() => rig.close());

const { port } = new URL(rig.s3.url);
const config = { caCert: tls.cert, s3Url: `https://${storeHost}:${port}` };

describe("proxies, by Go's rules", { concurrency: true }, () => {
  test("HTTPS_PROXY is used for a store beyond it", async () => {
    const proxy = await startConnectProxy(Number(port));
    rig.own(proxy);
    // Go never asks a proxy for localhost, so the store is given a name that is not.
    const beyond = { ...config, s3Url: "https://store.invalid", insecureSkipTLSVerify: "true" };
    const session = rig.start({ HTTPS_PROXY: proxy.url });
    const location = await rig.open("proxied", { config: beyond, session });

    await location.put("contents", Buffer.from("through the proxy"));

    assert.equal((await location.get("contents")).toString(), "through the proxy");
    assert.ok(proxy.destinations.length > 0);
    assert.deepEqual([...new Set(proxy.destinations)], ["store.invalid:443"]);
  });

  test("NO_PROXY keeps a store from the proxy", async () => {
    const proxy = await startConnectProxy(Number(port));
    rig.own(proxy);
    const session = rig.start({ HTTPS_PROXY: proxy.url, NO_PROXY: "127.0.0.0/8" });
    const location = await rig.open("not-proxied", {
      config: { ...config, s3Url: `https://127.0.0.1:${port}` },
      session,
    });

    assert.deepEqual(await location.list(), []);
    assert.deepEqual(proxy.destinations, []);
  });

  test("loopback is never asked of a proxy", async () => {
    const proxy = await startConnectProxy(Number(port));
    rig.own(proxy);
    const session = rig.start({ HTTPS_PROXY: proxy.url });
    const location = await rig.open("loopback", { config, session });

    assert.deepEqual(await location.list(), []);
    assert.deepEqual(proxy.destinations, []);
  });

  test("a proxy that cannot be reached is named in the error", { timeout: 600_000 }, async () => {
    const session = rig.start({ HTTPS_PROXY: "http://user:proxy-password@127.0.0.1:1", AWS_MAX_ATTEMPTS: "1" });
    const beyond = { ...config, s3Url: "https://store.invalid" };
    const location = await rig.open("no-proxy-there", { config: beyond, session });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /127\.0\.0\.1:1/);
    assert.doesNotMatch(error.message, /proxy-password/);
  });
});
