import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { failureOf } from "../wire/bytes.ts";
import { startConnectProxy } from "../wire/connect-proxy.ts";
import { startGcsRig } from "./gcs-rig.ts";

const rig = await startGcsRig({ tls: createThrowawayCertificate("Google stand-ins") });
after(() => rig.close());
const { port } = new URL(rig.gcs.url);

// Go never asks a proxy for loopback, so the store is given a name that is not.
const beyond = { storeEndpoint: "https://store.invalid", insecureSkipTLSVerify: "true" };

describe("proxies, by Go's rules", { concurrency: true, timeout: 600_000 }, () => {
  test("HTTPS_PROXY is used for a store beyond it, also for the sessions that the store names", async () => {
    const proxy = await startConnectProxy(Number(port));
    rig.own(proxy);
    const session = rig.start({ HTTPS_PROXY: proxy.url });
    const location = await rig.open("proxied", { config: { ...beyond, memoryLimit: "16Mi" }, session });
    const body = Buffer.alloc(9 * 1024 ** 2, "through the proxy");

    await location.put("contents", body);

    assert.ok((await location.get("contents")).equals(body));
    assert.deepEqual([...new Set(proxy.destinations)], ["store.invalid:443"]);
  });

  test("NO_PROXY keeps a store from the proxy, and loopback is never asked of one", async () => {
    const proxy = await startConnectProxy(Number(port));
    rig.own(proxy);
    const session = rig.start({ HTTPS_PROXY: proxy.url, NO_PROXY: "10.0.0.0/8" });
    const location = await rig.open("not-proxied", { session });

    assert.deepEqual(await location.list(), []);
    assert.deepEqual(proxy.destinations, []);
  });

  test("a proxy that cannot be reached is named in the error, without its password", async () => {
    const session = rig.start({ HTTPS_PROXY: "http://user:proxy-password@127.0.0.1:1" });
    const location = await rig.open("no-proxy-there", { config: beyond, session });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /store\.invalid through the proxy 127\.0\.0\.1:1/);
    assert.doesNotMatch(error.message, /proxy-password/);
  });
});
