import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer, get as httpGet } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer as createTlsServer, get as httpsGet } from "node:https";
import { connect, createServer as createTcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isKind } from "../plugin/index.ts";
import { loopbackCertificate } from "../testing/loopback-certificate.ts";
import { AgentPool } from "./agent-pool.ts";
import { createTrust } from "./trust.ts";

const malformed = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
const noTrust = createTrust({ env: {} });

async function listen(t: TestContext, server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // A TCP server's address is an object.
  return (server.address() as AddressInfo).port;
}

async function fetchText(t: TestContext, pool: AgentPool, url: URL): Promise<string> {
  t.after(() => pool.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const get = url.protocol === "https:" ? httpsGet : httpGet;
  get(url, { agent: pool.agentFor(url) }, (response) => {
    response
      .setEncoding("utf8")
      .toArray()
      .then((chunks) => resolve(chunks.join("")), reject);
  }).on("error", reject);
  return await promise;
}

const answerPath: RequestListener = (request, response) => void response.end(request.url);

test("a server with an unknown certificate is refused", async (t) => {
  const port = await listen(t, createTlsServer(loopbackCertificate, answerPath));
  const pool = new AgentPool({ env: {}, trust: noTrust });

  await assert.rejects(fetchText(t, pool, new URL(`https://127.0.0.1:${port}/a`)), {
    code: "DEPTH_ZERO_SELF_SIGNED_CERT",
  });
});

/** The first answer of a server from before RFC 5746, in TLS 1.2 and without extensions, after which it hangs up. */
function oldServerHello(): Buffer {
  const body = Buffer.concat([Buffer.from("0303", "hex"), randomBytes(32), Buffer.from("00c02f00", "hex")]);
  const lengths = [body.length + 4, 0x0200_0000 + body.length];
  const head = Buffer.alloc(9);
  head.write("160303", "hex");
  head.writeUInt16BE(lengths[0] ?? 0, 3);
  head.writeUInt32BE(lengths[1] ?? 0, 5);
  return Buffer.concat([head, body]);
}

for (const insecureSkipVerify of [false, true])
  test(`a server that cannot renegotiate safely is spoken to, as by Go, verified or not: ${insecureSkipVerify}`, async (t) => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(oldServerHello()));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    t.after(() => server.close());
    // A TCP server's address is an object.
    const { port } = server.address() as AddressInfo;
    const pool = new AgentPool({ env: {}, trust: noTrust, insecureSkipVerify });

    // It went on to wait for the certificate; what refuses such a server says so at once.
    await assert.rejects(fetchText(t, pool, new URL(`https://127.0.0.1:${port}/`)), { code: "ECONNRESET" });
  });

test("a server whose certificate the location gives is trusted", async (t) => {
  const port = await listen(t, createTlsServer(loopbackCertificate, answerPath));
  const trust = createTrust({ env: {}, extraPems: [loopbackCertificate.cert] });

  const text = await fetchText(t, new AgentPool({ env: {}, trust }), new URL(`https://127.0.0.1:${port}/a`));

  assert.equal(text, "/a");
});

test("any certificate is accepted where the location says so", async (t) => {
  const port = await listen(t, createTlsServer(loopbackCertificate, answerPath));
  const pool = new AgentPool({ env: {}, trust: noTrust, insecureSkipVerify: true });

  assert.equal(await fetchText(t, pool, new URL(`https://127.0.0.1:${port}/a`)), "/a");
});

test("plain http goes through HTTP_PROXY in absolute form", async (t) => {
  const port = await listen(t, createServer(answerPath));
  const pool = new AgentPool({ env: { HTTP_PROXY: `http://127.0.0.1:${port}` }, trust: noTrust });

  assert.equal(await fetchText(t, pool, new URL("http://store.example/a")), "http://store.example/a");
});

/** Makes a proxy's tunnels end at one port; answers the hosts that were asked for. */
function tunnel(proxy: Server, port: number): readonly string[] {
  const asked: string[] = [];
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const target = connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    target.pipe(socket).pipe(target);
    target.on("error", () => socket.destroy());
    socket.on("error", () => target.destroy());
  });
  return asked;
}

test("https goes through HTTPS_PROXY in a tunnel", async (t) => {
  const port = await listen(t, createTlsServer(loopbackCertificate, answerPath));
  const proxy = createServer();
  const asked = tunnel(proxy, port);
  const env = { HTTPS_PROXY: `http://127.0.0.1:${await listen(t, proxy)}` };

  const text = await fetchText(
    t,
    new AgentPool({ env, trust: noTrust, insecureSkipVerify: true }),
    new URL("https://store.example/a"),
  );

  assert.deepEqual([text, asked], ["/a", ["store.example:443"]]);
});

test("a proxy behind TLS is trusted as a store is", async (t) => {
  const port = await listen(t, createTlsServer(loopbackCertificate, answerPath));
  const proxy = createTlsServer(loopbackCertificate);
  tunnel(proxy, port);
  const env = { HTTPS_PROXY: `https://127.0.0.1:${await listen(t, proxy)}` };
  const trust = createTrust({ env: {}, extraPems: [malformed, loopbackCertificate.cert] });

  // The certificate is not the store's: no host but loopback has one here, and loopback is never proxied.
  const pool = new AgentPool({ env, trust, insecureSkipVerify: true });

  assert.equal(await fetchText(t, pool, new URL("https://store.example/a")), "/a");
});

test("what NO_PROXY names is reached directly", async (t) => {
  const port = await listen(t, createServer(answerPath));
  const env = { HTTP_PROXY: "http://127.0.0.1:1", NO_PROXY: "127.0.0.0/8" };

  const text = await fetchText(t, new AgentPool({ env, trust: noTrust }), new URL(`http://127.0.0.1:${port}/a`));

  assert.equal(text, "/a");
});

test("a proxy of another kind is named as the fault", () => {
  const pool = new AgentPool({ env: { HTTPS_PROXY: "socks5://127.0.0.1:1" }, trust: noTrust });

  assert.throws(
    () => pool.agentFor(new URL("https://store.example/")),
    (error) => isKind(error, "invalid-config") && error.message.includes("socks5"),
  );
});
