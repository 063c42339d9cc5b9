import { setTimeout as delay } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { gzipSync } from "node:zlib";

import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { TestContext } from "../../test-context.ts";
import { oddKeys } from "./odd-key-table.ts";

const tenMinutes = 600;

// Clients resolve dot segments of a URL before they send it, as the URL standard demands, so nothing can be signed for them.
const signableKeys = oddKeys.filter(({ name }) => name !== "dot-segments");

const oddKeyTests = signableKeys.map(({ name, below, needs = [] }): ConformanceTest => ({
  id: `object-store/signed-urls/key-of-${name}`,
  title: `the URL of a key of the kind "${name}" serves the object`,
  rule: "signed-url-works",
  kind: "ObjectStore",
  needs: ["signed-urls", ...needs],
  run: async (t) => {
    const store = await openSigning(t);
    const key = below(t.prefix);
    await store.put(key, Buffer.from(key));

    expectBytes(await download(await store.signUrl(key, tenMinutes)), Buffer.from(key), "what the URL served");
  },
}));

/** What a signed URL opens to whom, and for how long. */
export const signedUrlsTests: readonly ConformanceTest[] = [
  {
    id: "object-store/signed-urls/plain-get",
    title: "a plain GET of the URL is answered with the object, byte by byte",
    rule: "signed-url-works",
    kind: "ObjectStore",
    needs: ["signed-urls"],
    run: async (t) => {
      const store = await openSigning(t);
      const body = bodyOf("plain get", 300_000);
      await store.put(t.key("backups/b/b-logs"), body);

      expectBytes(await download(await store.signUrl(t.key("backups/b/b-logs"), tenMinutes)), body, "what it served");
    },
  },
  {
    id: "object-store/signed-urls/large",
    title: "the URL of an object of many parts serves all of them",
    rule: "signed-url-works",
    kind: "ObjectStore",
    needs: ["signed-urls"],
    run: async (t) => {
      const store = await openSigning(t);
      const body = bodyOf("large", 17 * 1024 ** 2 + 1);
      await store.put(t.key("backups/b/b"), body);

      expectBytes(await download(await store.signUrl(t.key("backups/b/b"), tenMinutes)), body, "what it served");
    },
  },
  {
    id: "object-store/signed-urls/gzip",
    title: "the URL of a gzip file serves the gzip file, with no word that it is packed for the way only",
    rule: "put-keeps-gzip",
    kind: "ObjectStore",
    needs: ["signed-urls"],
    run: async (t) => {
      const store = await openSigning(t);
      const file = gzipSync("a line of a log\n".repeat(10_000));
      await store.put(t.key("backups/b/b-logs.gz"), file);

      const url = await store.signUrl(t.key("backups/b/b-logs.gz"), tenMinutes);

      expectBytes(await download(url), file, "what the URL served");
    },
  },
  ...oddKeyTests,
  {
    id: "object-store/signed-urls/lives-as-long-as-asked",
    title: "a URL for ten minutes still works after three seconds, and one for a second does not",
    rule: "signed-url-expires",
    kind: "ObjectStore",
    needs: ["signed-urls"],
    run: async (t) => {
      const store = await openSigning(t);
      await store.put(t.key("object"), Buffer.from("here"));
      const long = await store.signUrl(t.key("object"), tenMinutes);
      const short = await store.signUrl(t.key("object"), 1);
      await delay(3000);

      expectBytes(await download(long), Buffer.from("here"), "what the URL for ten minutes served");
      await expectRefused(await fetch(short), "the URL for a second, three seconds later");
    },
  },
  {
    id: "object-store/signed-urls/another-object",
    title: "a URL does not open another object",
    rule: "signed-url-opens-one-object",
    kind: "ObjectStore",
    needs: ["signed-urls", "authenticates"],
    run: async (t) => {
      const store = await openSigning(t);
      for (const name of ["mine", "other"]) await store.put(t.key(name), Buffer.from(name));
      const url = new URL(await store.signUrl(t.key("mine"), tenMinutes));

      url.pathname = url.pathname.replace(/mine$/, "other");

      await expectRefused(await fetch(url), "the URL of another object");
    },
  },
  {
    id: "object-store/signed-urls/no-write",
    title: "a URL does not replace or delete the object",
    rule: "signed-url-opens-one-object",
    kind: "ObjectStore",
    needs: ["signed-urls", "authenticates"],
    run: async (t) => {
      const store = await openSigning(t);
      await store.put(t.key("object"), Buffer.from("here"));
      const url = await store.signUrl(t.key("object"), tenMinutes);

      await expectRefused(await fetch(url, { method: "PUT", body: "other" }), "a PUT to the URL");
      await expectRefused(await fetch(url, { method: "DELETE" }), "a DELETE of the URL");

      expectBytes(await store.get(t.key("object")), Buffer.from("here"), "the object");
    },
  },
  {
    id: "object-store/signed-urls/missing",
    title: "a URL of a missing object serves nothing",
    rule: "signed-url-works",
    kind: "ObjectStore",
    needs: ["signed-urls"],
    run: async (t) => {
      const store = await openSigning(t);

      await expectRefused(
        await fetch(await store.signUrl(t.key("missing"), tenMinutes)),
        "the URL of a missing object",
      );
    },
  },
];

/** A location whose URLs a plain client can read. */
async function openSigning(t: TestContext): Promise<ObjectStoreSession> {
  const config = t.objectTarget.signing ?? {};
  const { caCert } = config;
  const trusted = getCACertificates();
  if (caCert !== undefined && !trusted.includes(caCert)) setDefaultCACertificates([...trusted, caCert]);
  return await t.openObjectStore({ config });
}

async function download(url: string): Promise<Buffer> {
  const answer = await fetch(url);
  const body = Buffer.from(await answer.arrayBuffer());
  expect(answer.ok, `the URL was answered with ${answer.status}: ${body.toString().slice(0, 300)}`);
  return body;
}

async function expectRefused(answer: Response, what: string): Promise<void> {
  await answer.body?.cancel();
  expect(answer.status >= 400 && answer.status < 500, `${what} was answered with ${answer.status}`);
}
