import { constants, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, rootCertificates, setDefaultCACertificates } from "node:tls";
import type { SecureContext } from "node:tls";
import type { Environment } from "./proxy.ts";

/** Whom TLS connections trust. */
export interface TrustOptions {
  /** SSL_CERT_FILE and SSL_CERT_DIR replace the system's places, as in Go. */
  readonly env: Environment;
  /** PEM texts trusted besides the system's store: a location's caCert. */
  readonly extraPems?: readonly string[];
  /** PEM files trusted besides the system's store: AWS_CA_BUNDLE. An unreadable one throws when the trust is used. */
  readonly extraFiles?: readonly string[];
}

/** A CA list that is read and parsed once, when the first TLS connection asks for it. */
export interface Trust {
  secureContext(): SecureContext;
  /** Trusts a proxy that is itself behind TLS: the runtime connects to it by the trust of the whole process. */
  coverProxies(): void;
}

/**
 * What every TLS connection is made with. As Go, it speaks to servers from before RFC 5746: old load balancers, and proxies
 * that break TLS open. What that RFC mends, a later renegotiation with them, stays refused.
 */
export const tlsOptions = { secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT } as const;

// The places of Go's crypto/x509 on Linux: the first readable file, and every directory.
const systemFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];
const systemDirectories = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const systemRootsByPlace = new Map<string, readonly string[]>();
const contextByAuthorities = new Map<string, SecureContext>();
const coveringProxies = new Set<string>();

/** The trust of one location. */
export function createTrust(options: TrustOptions): Trust {
  let context: SecureContext | undefined;
  return {
    secureContext: () => {
      context ??= sharedContext(trustedCertificates(options));
      return context;
    },
    coverProxies: () => {
      const before = coveringProxies.size;
      for (const certificate of trustedCertificates(options)) coveringProxies.add(certificate);
      if (coveringProxies.size > before) setDefaultCACertificates([...coveringProxies].filter(isWellFormed));
    },
  };
}

/**
 * The PEM certificates that are trusted, each once: the system's store as Go finds it, or the runtime's own roots where
 * the system has none, and the extra ones.
 */
export function trustedCertificates(options: TrustOptions): readonly string[] {
  const extra = [
    ...(options.extraPems ?? []),
    ...(options.extraFiles ?? []).map((path) => readFileSync(path, "utf8")),
  ].flatMap(certificatesIn);
  return [...new Set([...systemRoots(options.env), ...extra])];
}

/** The certificates of a PEM text, without what stands between them. Empty for a text that holds none. */
export function certificatesIn(pem: string): readonly string[] {
  // OpenSSL refuses blank lines, which Go passes over.
  return (pem.match(certificatePattern) ?? []).map((certificate) => certificate.replaceAll(/\s*\n\s*/g, "\n"));
}

function systemRoots(env: Environment): readonly string[] {
  const place = JSON.stringify([env["SSL_CERT_FILE"], env["SSL_CERT_DIR"]]);
  let roots = systemRootsByPlace.get(place);
  if (roots === undefined) {
    const files = env["SSL_CERT_FILE"] ? [env["SSL_CERT_FILE"]] : systemFiles;
    const directories = env["SSL_CERT_DIR"] ? env["SSL_CERT_DIR"].split(":") : systemDirectories;
    const found = [...firstReadable(files), ...directories.flatMap(certificatesInDirectory)];
    roots = found.length > 0 ? found : rootCertificates;
    systemRootsByPlace.set(place, roots);
  }
  return roots;
}

function firstReadable(files: readonly string[]): readonly string[] {
  for (const file of files) {
    const text = readIfThere(file);
    if (text !== undefined) return certificatesIn(text);
  }
  return [];
}

function certificatesInDirectory(directory: string): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    // A place that is not there holds no certificates; which places exist depends on the distribution.
    return [];
  }
  return names
    .map((name) => join(directory, name))
    .filter((path) => !isLinkWithinDirectory(path))
    .flatMap((path) => certificatesIn(readIfThere(path) ?? ""));
}

/** OpenSSL's hash links point at files beside them, which are read anyway. */
function isLinkWithinDirectory(path: string): boolean {
  try {
    return !readlinkSync(path).includes("/");
  } catch {
    // Not a link.
    return false;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // As Go does: an unreadable entry of the system's store is passed over, the others still count.
    return undefined;
  }
}

function sharedContext(certificates: readonly string[]): SecureContext {
  const key = certificates.join("\n");
  let context = contextByAuthorities.get(key);
  if (context === undefined) {
    context = contextOf(certificates);
    contextByAuthorities.set(key, context);
  }
  return context;
}

function contextOf(certificates: readonly string[]): SecureContext {
  try {
    return contextTrusting(certificates);
  } catch {
    // One malformed certificate makes OpenSSL refuse the whole list; Go leaves out the malformed ones.
    return contextTrusting(certificates.filter(isWellFormed));
  }
}

/** As in Go, whatever is listed is trusted by itself: an intermediate authority without its root, or a server's own. */
function contextTrusting(certificates: readonly string[]): SecureContext {
  return createSecureContext({ ...tlsOptions, ca: certificates.join("\n"), allowPartialTrustChain: true });
}

function isWellFormed(certificate: string): boolean {
  try {
    return new X509Certificate(certificate).raw.length > 0;
  } catch {
    // That is the question asked.
    return false;
  }
}
