import { silentLogger } from "@flotilla/sdk/plugin";
import { loopbackCertificate } from "@flotilla/sdk/testing";
import type { Call, OpenContext } from "@flotilla/sdk/plugin";
import { createTransport } from "../transport.ts";
import type { ClientSettings } from "../client.ts";

/** A call that nobody cancels and nobody listens to. */
export const quietCall: Call = { log: silentLogger, signal: new AbortController().signal };

/** A context with nothing in the environment but what the test says. */
export function contextWith(env: Readonly<Record<string, string>> = {}): OpenContext {
  return { log: silentLogger, env, signal: quietCall.signal };
}

/** Client settings for a stub server: static credentials, one attempt. */
export async function stubSettings(endpoint: URL, overrides: Partial<ClientSettings> = {}): Promise<ClientSettings> {
  return {
    region: "us-east-1",
    endpoint: endpoint.href,
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }),
    requestHandler: await createTransport({
      env: {},
      caCert: loopbackCertificate.cert,
      caBundle: undefined,
      insecureSkipVerify: false,
    }),
    maxAttempts: 1,
    retryMode: "standard",
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    customUserAgent: "test",
    ...overrides,
  };
}
