import { localError } from "@flotilla/sdk/network";
import type { Attempt } from "@flotilla/sdk/network";
import { backoffMs } from "@flotilla/sdk/plugin";
import type { Backoff, Call, Clock, PluginError } from "@flotilla/sdk/plugin";
import { parseObject, readApiAnswer, readText } from "./answers.ts";
import { foreignAnswer } from "./errors.ts";
import { isPassing } from "./gce-codes.ts";
import { translateGceAnswer } from "./gce-errors.ts";
import type { GoogleApi } from "./google-api.ts";
import type { HttpAnswer } from "./transport.ts";

/** A request to Compute Engine's REST API. */
export interface GceRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Names below the API's root, in the order in which they stand in the URL. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

/** What a session works with. */
export interface GceSessionOptions {
  readonly api: Pick<GoogleApi, "send">;
  /** The API's root, ending in a slash. */
  readonly root: URL;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

const maxTries = 5;
const backoff: Backoff = { baseMs: 500, maxMs: 8000 };
const maxRetryAfterMs = 60_000;

/**
 * Requests to Compute Engine with the location's identity. Each may be repeated: what creates or deletes carries a
 * requestId, by which the service knows it again.
 */
export class GceSession {
  readonly #options: GceSessionOptions;

  constructor(options: GceSessionOptions) {
    this.#options = options;
  }

  /** Runs one request; a failure becomes a PluginError that says what was tried. */
  async run(request: GceRequest, attempt: Attempt, call: Call): Promise<Readonly<Record<string, unknown>>> {
    for (let tries = 1; ; tries += 1) {
      const outcome = await this.#try(request, { ...attempt, signal: call.signal }, call);
      if ("body" in outcome) return outcome.body;
      const { error, mayPass, retryAfterMs } = outcome;
      if (!mayPass || tries >= maxTries || call.signal.aborted) throw error;
      call.log.debug(`${attempt.action}: trying again`, { attempt: tries, reason: error.message });
      const pauseMs = Math.max(retryAfterMs, backoffMs(tries, backoff, this.#options.random));
      await this.#options.clock.sleep(pauseMs, call.signal);
    }
  }

  async #try(request: GceRequest, attempt: Attempt, call: Call): Promise<Outcome> {
    try {
      const answer = await this.#send(request, attempt, call);
      if (answer.status >= 200 && answer.status < 300) {
        const body = parseObject(await readText(answer));
        return body === undefined ? failedForNow(foreignAnswer(attempt)) : { body };
      }
      const failure = await readApiAnswer(answer);
      return {
        error: translateGceAnswer(failure, attempt),
        mayPass: isPassing(failure.code, failure.status),
        retryAfterMs: Math.min(failure.retryAfterMs ?? 0, maxRetryAfterMs),
      };
    } catch (error) {
      return failedForNow(localError(error, attempt));
    }
  }

  async #send({ method, path, query = {}, body }: GceRequest, attempt: Attempt, call: Call): Promise<HttpAnswer> {
    const url = new URL(path.map(encodeURIComponent).join("/"), this.#options.root);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const json =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    return await this.#options.api.send({ method, url, ...json }, attempt, call);
  }
}

type Outcome =
  | { readonly body: Readonly<Record<string, unknown>> }
  | { readonly error: PluginError; readonly mayPass: boolean; readonly retryAfterMs: number };

function failedForNow(error: PluginError): Outcome {
  return { error, mayPass: error.kind === "unavailable" || error.kind === "timeout", retryAfterMs: 0 };
}

/** The API's root at an endpoint, which may be given with its path or without. */
export function rootOf(endpoint: URL): URL {
  const path = endpoint.pathname.replace(/\/+$/, "");
  return new URL(/\/compute\/[^/]+$/.test(path) ? `${path}/` : `${path}/compute/v1/`, endpoint);
}
