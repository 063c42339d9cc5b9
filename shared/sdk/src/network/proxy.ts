import { BlockList, isIP } from "node:net";

/** The environment as it was handed to the plugin. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy through which a request to this URL goes, or undefined for a direct connection. The rules are those of Go's
 * net/http, which the server and the official plugins follow: HTTPS_PROXY for https, HTTP_PROXY for http, the
 * upper-case spelling first; NO_PROXY holds hosts, suffixes (`.x`, `*.x`), addresses and CIDR ranges, each of the first
 * three with an optional port, or `*`; loopback is never proxied; a proxy that cannot be parsed counts as unset.
 */
export function proxyFor(env: Environment, url: URL): URL | undefined {
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = parseProxy(variable(env, name));
  if (proxy === undefined) return undefined;
  return isExempt(variable(env, "NO_PROXY"), url) ? undefined : proxy;
}

interface Target {
  readonly host: string;
  readonly port: string;
  /** 0 for a name. */
  readonly ipVersion: number;
}

type Matcher = (target: Target) => boolean;

function variable(env: Environment, name: string): string {
  return env[name] || env[name.toLowerCase()] || "";
}

function parseProxy(text: string): URL | undefined {
  if (text === "") return undefined;
  const withScheme = text.includes("://") ? text : `http://${text}`;
  return URL.canParse(withScheme) ? new URL(withScheme) : undefined;
}

function isExempt(noProxy: string, url: URL): boolean {
  const target = targetOf(url);
  if (target.host === "localhost" || isLoopback(target)) return true;
  const entries = noProxy
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== "");
  return entries.some((entry) => matcherOf(entry)(target));
}

function targetOf(url: URL): Target {
  const host = stripBrackets(url.hostname.toLowerCase());
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return { host, port, ipVersion: isIP(host) };
}

function isLoopback(target: Target): boolean {
  return inSubnet(target, "127.0.0.0", 8) || inSubnet(target, "::1", 128);
}

function matcherOf(entry: string): Matcher {
  if (entry === "*") return () => true;
  const range = /^([^/]+)\/(\d{1,3})$/.exec(entry);
  if (range !== null) {
    const [, network = "", bits = ""] = range;
    const largest = isIP(network) === 4 ? 32 : 128;
    if (isIP(network) === 0 || Number(bits) > largest) return () => false;
    return (target) => inSubnet(target, network, Number(bits));
  }
  const { host, port } = splitPort(entry);
  if (host === "") return () => false;
  const hostMatches = isIP(host) === 0 ? domainMatcher(host) : addressMatcher(host);
  return (target) => hostMatches(target) && (port === "" || port === target.port);
}

function domainMatcher(pattern: string): Matcher {
  const bare = pattern.startsWith("*.") ? pattern.slice(1) : pattern;
  if (bare.startsWith(".")) return (target) => target.host.endsWith(bare);
  return (target) => target.host === bare || target.host.endsWith(`.${bare}`);
}

function addressMatcher(address: string): Matcher {
  return (target) => inSubnet(target, address, isIP(address) === 4 ? 32 : 128);
}

function inSubnet(target: Target, network: string, bits: number): boolean {
  const family = isIP(network) === 4 ? "ipv4" : "ipv6";
  if (target.ipVersion !== isIP(network)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(target.host, family);
}

function splitPort(entry: string): { readonly host: string; readonly port: string } {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry);
  if (bracketed !== null) return { host: bracketed[1] ?? "", port: bracketed[2] ?? "" };
  // A bare IPv6 address has several colons and no port.
  const named = /^([^:]*):(\d+)$/.exec(entry);
  return named === null ? { host: entry, port: "" } : { host: named[1] ?? "", port: named[2] ?? "" };
}

function stripBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}
