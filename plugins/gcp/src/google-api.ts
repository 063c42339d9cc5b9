import { readApiAnswer } from "./answers.ts";
import type { Attempt, Translate } from "./errors.ts";
import { readJson, sendTranslated } from "./json-request.ts";
import type { TokenSource } from "./token-source.ts";
import type { HttpAnswer, HttpRequest, Transport } from "./transport.ts";
import { systemClock, withRetry } from "@flotilla/sdk/plugin";
import type { Call, RetryPolicy } from "@flotilla/sdk/plugin";

/** A request to one of Google's APIs; identity and connections are added. */
export type ApiRequest = Pick<HttpRequest, "method" | "url" | "headers" | "body" | "timeoutMs">;

/** How an API is reached. */
export interface GoogleApiOptions {
  readonly transport: Transport;
  /** Undefined for nobody. */
  readonly tokens: TokenSource | undefined;
  /** The project that is billed for requests, where it is not the resource's own. */
  readonly quotaProject: string | undefined;
  readonly translate: Translate;
}

/** What the services see in their logs. */
const userAgent = "flotilla-plugin-gcp";

/** About eight seconds in all for a throttled service; puts and gets are tried again beyond that by the layers. */
export const patience: RetryPolicy = { tries: 6, baseMs: 300, maxMs: 10_000, clock: systemClock, random: Math.random };

/**
 * For the one request that ends an upload, which nobody tries again: about as long as Google's own library for Go.
 */
export const lastPatience: RetryPolicy = { ...patience, tries: 8 };

/** One of Google's JSON APIs, with the identity of a location. */
export class GoogleApi {
  readonly #options: GoogleApiOptions;

  constructor(options: GoogleApiOptions) {
    this.#options = options;
  }

  /**
   * Sends one request. Any status is an answer, but for a refused token, which is fetched anew once. What fails below
   * HTTP is thrown as a PluginError.
   */
  async send(request: ApiRequest, attempt: Attempt, call: Call): Promise<HttpAnswer> {
    const { transport, tokens } = this.#options;
    const token = await tokens?.token(call.signal);
    const answer = await sendTranslated(transport, this.#complete(request, token, call), attempt);
    if (answer.status !== 401 || tokens === undefined || token === undefined) return answer;
    call.log.debug("the token is refused and asked for again", {});
    tokens.forget(token);
    const renewed = await tokens.token(call.signal);
    if (renewed === token) return answer;
    answer.body.destroy();
    return await sendTranslated(transport, this.#complete(request, renewed, call), attempt);
  }

  /** Sends one request and answers its good answer; any other status is thrown as the translation puts it. */
  async sendOk(request: ApiRequest, attempt: Attempt, call: Call): Promise<HttpAnswer> {
    const answer = await this.send(request, attempt, call);
    if (answer.status >= 200 && answer.status <= 299) return answer;
    throw this.#options.translate(await readApiAnswer(answer), { ...attempt, signal: call.signal });
  }

  /** Sends one request and reads the JSON object of its answer. */
  async json(request: ApiRequest, attempt: Attempt, call: Call): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.send(request, attempt, call);
    return await readJson(answer, attempt, this.#options.translate, call.signal);
  }

  /** The same, tried again while the service is throttled or does not answer. */
  async patiently<T>(
    attempt: Attempt,
    call: Call,
    operation: () => Promise<T>,
    policy: RetryPolicy = patience,
  ): Promise<T> {
    return await withRetry(policy, call, attempt.action, operation);
  }

  #complete(request: ApiRequest, token: string | undefined, call: Call): HttpRequest {
    const { quotaProject } = this.#options;
    return {
      ...request,
      headers: {
        "user-agent": userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(quotaProject === undefined ? {} : { "x-goog-user-project": quotaProject }),
        ...request.headers,
      },
      signal: call.signal,
    };
  }
}
