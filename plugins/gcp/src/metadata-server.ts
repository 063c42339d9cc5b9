import { PluginError, systemClock, withRetry } from "@flotilla/sdk/plugin";
import type { Call, RetryPolicy } from "@flotilla/sdk/plugin";
import { readApiAnswer, readText } from "./answers.ts";
import { translateTokenAnswer } from "./errors.ts";
import { readJson, sendTranslated } from "./json-request.ts";
import { readOauthToken, tokenAttempt } from "./oauth.ts";
import { describeIdentity } from "./identity.ts";
import type { AccessToken } from "./token-source.ts";
import type { HttpAnswer, Transport } from "./transport.ts";

/** The metadata server of the node, or of the pod on GKE with workload identity. */
export class MetadataServer {
  readonly #transport: Transport;
  readonly #root: string;

  /** `host` is $GCE_METADATA_HOST: in place of the usual address, which needs no name to be resolved. */
  constructor(transport: Transport, host: string | undefined) {
    this.#transport = transport;
    this.#root = `http://${host || "169.254.169.254"}/computeMetadata/v1`;
  }

  /** A token of the scopes, or, where the node's own are fixed, of those. */
  async token(scopes: readonly string[], signal: AbortSignal): Promise<AccessToken> {
    const path = `/instance/service-accounts/default/token?scopes=${encodeURIComponent(scopes.join(","))}`;
    const attempt = tokenAttempt(describeIdentity({ kind: "metadata" }), "the metadata server");
    return readOauthToken(
      await readJson(await this.#get(path, signal), attempt, translateTokenAnswer, signal),
      attempt,
    );
  }

  /** The e-mail address of the service account. */
  async email(call: Call): Promise<string> {
    return await this.#text("/instance/service-accounts/default/email", call);
  }

  /** The project of the node. */
  async projectId(call: Call): Promise<string> {
    return await this.#text("/project/project-id", call);
  }

  async #text(path: string, call: Call): Promise<string> {
    const attempt = { action: `ask the metadata server for ${path}`, permission: "the pod its metadata" };
    return await withRetry(patience, call, attempt.action, async () => {
      const answer = await this.#get(path, call.signal);
      if (answer.status !== 200) throw translateTokenAnswer(await readApiAnswer(answer), attempt);
      return (await readText(answer)).trim();
    });
  }

  async #get(path: string, signal: AbortSignal): Promise<HttpAnswer> {
    const url = new URL(this.#root + path);
    const attempt = tokenAttempt(describeIdentity({ kind: "metadata" }), "the metadata server");
    try {
      const headers = { "metadata-flavor": "Google" };
      const request = { method: "GET", url, headers, signal, timeoutMs: answerTimeoutMs, isDirect: true };
      return await sendTranslated(this.#transport, request, attempt);
    } catch (error) {
      if (signal.aborted || !(error instanceof PluginError) || error.kind !== "unavailable") throw error;
      throw new PluginError(
        `${attempt.action}: it does not answer (${error.code ?? "no answer"}); outside Google Cloud give the location credentials, and on GKE check the pod's workload identity and its network policy`,
        { kind: "unavailable", code: error.code, cause: error },
      );
    }
  }
}

// It is on the same machine; where there is none, nothing answers.
const answerTimeoutMs = 5_000;
// That of GKE takes a few seconds to be ready for a new pod. Tokens are asked for again by whoever needs them.
const patience: RetryPolicy = { tries: 4, baseMs: 500, maxMs: 2_000, clock: systemClock, random: Math.random };
