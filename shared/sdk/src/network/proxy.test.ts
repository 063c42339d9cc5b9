import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyFor } from "./proxy.ts";

const HTTPS_PROXY = "http://proxy.example:3128";

function isProxied(noProxy: string, url: string): boolean {
  return proxyFor({ HTTPS_PROXY, HTTP_PROXY: HTTPS_PROXY, NO_PROXY: noProxy }, new URL(url)) !== undefined;
}

const exempt: readonly (readonly [noProxy: string, url: string])[] = [
  ["*", "https://s3.amazonaws.com"],
  ["example.com", "https://example.com"],
  ["example.com", "https://a.example.com"],
  ["EXAMPLE.com", "https://Example.COM"],
  [".example.com", "https://a.example.com"],
  ["*.example.com", "https://a.example.com"],
  ["example.com:8443", "https://example.com:8443"],
  ["example.com:443", "https://example.com"],
  ["example.com:80", "http://example.com"],
  ["other, example.com ,", "https://example.com"],
  ["10.1.2.3", "https://10.1.2.3"],
  ["10.1.2.3:9000", "http://10.1.2.3:9000"],
  ["10.0.0.0/8", "https://10.200.0.1:9000"],
  ["fd00::/8", "https://[fd00::1]:9000"],
  ["[fd00::1]:9000", "https://[fd00::1]:9000"],
  ["fd00::1", "https://[fd00::1]"],
  ["", "http://localhost:9000"],
  ["", "http://127.0.0.1:9000"],
  ["", "https://127.8.8.8"],
  ["", "https://[::1]"],
];

const proxied: readonly (readonly [noProxy: string, url: string])[] = [
  ["", "https://example.com"],
  ["example.com", "https://badexample.com"],
  [".example.com", "https://example.com"],
  ["*.example.com", "https://example.com"],
  ["example.com:8443", "https://example.com"],
  ["10.1.2.3", "https://10.1.2.4"],
  ["10.0.0.0/8", "https://11.0.0.1"],
  ["10.0.0.0/8", "https://10.example.com"],
  ["10.0.0.0/99", "https://10.0.0.1"],
  ["nonsense/8", "https://10.0.0.1"],
  ["fd00::/8", "https://10.0.0.1"],
  [":443", "https://example.com"],
];

for (const [noProxy, url] of exempt)
  test(`NO_PROXY "${noProxy}" exempts ${url}`, () => {
    assert.equal(isProxied(noProxy, url), false);
  });

for (const [noProxy, url] of proxied)
  test(`NO_PROXY "${noProxy}" does not exempt ${url}`, () => {
    assert.equal(isProxied(noProxy, url), true);
  });

test("no variable means a direct connection", () => {
  assert.equal(proxyFor({}, new URL("https://example.com")), undefined);
});

test("HTTP_PROXY does not serve https, nor HTTPS_PROXY http", () => {
  assert.equal(proxyFor({ HTTP_PROXY: HTTPS_PROXY }, new URL("https://example.com")), undefined);
  assert.equal(proxyFor({ HTTPS_PROXY }, new URL("http://example.com")), undefined);
});

test("the upper-case variable wins over the lower-case one, unless it is empty", () => {
  const url = new URL("https://example.com");

  assert.equal(proxyFor({ HTTPS_PROXY, https_proxy: "http://other:1" }, url)?.host, "proxy.example:3128");
  assert.equal(proxyFor({ HTTPS_PROXY: "", https_proxy: "http://other:1" }, url)?.host, "other:1");
});

test("a proxy without scheme is an http proxy", () => {
  const url = new URL("https://example.com");

  assert.equal(proxyFor({ HTTPS_PROXY: "proxy.example:3128" }, url)?.href, "http://proxy.example:3128/");
  assert.equal(proxyFor({ HTTPS_PROXY: "10.0.0.1:3128" }, url)?.href, "http://10.0.0.1:3128/");
});

test("a proxy that cannot be parsed counts as unset", () => {
  assert.equal(proxyFor({ HTTPS_PROXY: "http://[bad" }, new URL("https://example.com")), undefined);
});
