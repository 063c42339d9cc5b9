import type { PluginErrorKind } from "../plugin/index.ts";

/** What a failure means, apart from what was tried. */
export interface Meaning {
  readonly kind: PluginErrorKind;
  /** In words, following "put object …: ". */
  readonly text: string;
  /** What to do; may be empty. */
  readonly remedy: string;
}

const certificateRemedy =
  "give the CA certificate as caCert, or check that the endpoint's host name is the one in its certificate";
const endpointRemedy = "check the endpoint, the network policy and the proxy (HTTPS_PROXY, NO_PROXY)";

const meanings: Readonly<Record<string, Omit<Meaning, "kind">>> = {
  ECONNREFUSED: { text: "the endpoint refused the connection", remedy: endpointRemedy },
  ECONNRESET: { text: "the connection was cut", remedy: endpointRemedy },
  EPIPE: { text: "the connection was cut", remedy: endpointRemedy },
  ECONNABORTED: { text: "the connection was cut", remedy: endpointRemedy },
  ERR_STREAM_PREMATURE_CLOSE: { text: "the connection was cut", remedy: endpointRemedy },
  HPE_INVALID_CONSTANT: { text: "the endpoint does not speak HTTP", remedy: endpointRemedy },
  ENOTFOUND: { text: "the endpoint's host name cannot be resolved", remedy: "check the endpoint, the region and DNS" },
  EAI_AGAIN: { text: "DNS did not answer", remedy: "check the cluster's DNS" },
  ETIMEDOUT: { text: "the connection timed out", remedy: endpointRemedy },
  EHOSTUNREACH: { text: "the endpoint cannot be reached", remedy: endpointRemedy },
  ENETUNREACH: { text: "the endpoint's network cannot be reached", remedy: endpointRemedy },
  ERR_PROXY_TUNNEL: { text: "the proxy refused the connection", remedy: "check HTTPS_PROXY and NO_PROXY" },
  ERR_TLS_CERT_ALTNAME_INVALID: { text: "the certificate is for another host name", remedy: certificateRemedy },
  CERT_HAS_EXPIRED: { text: "the certificate has expired", remedy: "renew the endpoint's certificate" },
  CERT_NOT_YET_VALID: { text: "the certificate is not yet valid", remedy: "check the clocks" },
  // What OpenSSL refuses and Node has no name for: a weak key or signature, of the server's or an authority's certificate.
  UNSPECIFIED: {
    text: "the endpoint's certificate, or that of its authority, is too weak",
    remedy:
      "check the certificate: less than 2048 bits (RSA) or SHA-1 are refused; until it is renewed, set insecureSkipTLSVerify, where the location has it",
  },
  EPROTO: { text: "the endpoint does not speak TLS", remedy: "check whether the endpoint is http or https" },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    text: "the endpoint does not speak TLS",
    remedy: "check whether the endpoint is http or https",
  },
};

const untrustedCodes = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_UNTRUSTED",
  "INVALID_CA",
]);

/** What an error of Node's network layers means; undefined for any other code. */
export function meaningOfNetworkCode(code: string): Meaning | undefined {
  if (untrustedCodes.has(code))
    return { kind: "unavailable", text: "the endpoint's certificate is not trusted", remedy: certificateRemedy };
  const known = Object.hasOwn(meanings, code) ? meanings[code] : undefined;
  return known === undefined ? undefined : { kind: "unavailable", ...known };
}
