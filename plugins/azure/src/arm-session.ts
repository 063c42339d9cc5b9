import { ComputeManagementClient } from "@azure/arm-compute";
import type { ComputeManagementClientOptionalParams, SnapshotsCreateOrUpdateOptionalParams } from "@azure/arm-compute";
import { createPipelineRequest, RestError } from "@azure/core-rest-pipeline";
import type { PipelinePolicy, PipelineResponse } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { PluginError, within } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { describeLateFailure, translateArmError } from "./arm-errors.ts";
import { ArmOperation } from "./arm-operation.ts";
import type { ArmAnswer } from "./arm-operation.ts";
import type { ArmClientOptions } from "./client.ts";
import { foreignAnswer } from "./errors.ts";
import type { Attempt } from "@flotilla/sdk/network";

// The SDK asks for the newest API version, which the clouds of China and the US Government know months later. This one
// has all that is needed here.
const apiVersion = "2024-03-02";

// The types of disks have versions of their own, which every cloud has known for years.
const skusPath = /\/providers\/Microsoft\.Compute\/skus\?/;

const pinnedVersion: PipelinePolicy = {
  name: "pinnedVersion",
  sendRequest: async (request, next) => {
    if (!skusPath.test(request.url)) request.url = request.url.replace(/([?&]api-version=)[^&]+/, `$1${apiVersion}`);
    return await next(request);
  },
};

/** A request of the SDK whose rest ARM does by itself. */
type LongRequest = (
  client: ComputeManagementClient,
  options: Pick<SnapshotsCreateOrUpdateOptionalParams, "abortSignal" | "onResponse">,
) => { submitted(): Promise<void> };

/** The clients of one identity, by subscription: ids name subscriptions other than the location's own. */
export class ArmSession {
  readonly #credential: TokenCredential;
  readonly #options: ArmClientOptions & Pick<ComputeManagementClientOptionalParams, "additionalPolicies">;
  readonly #clients = new Map<string, ComputeManagementClient>();

  constructor(credential: TokenCredential, options: ArmClientOptions) {
    this.#credential = credential;
    this.#options = { ...options, additionalPolicies: [{ policy: pinnedVersion, position: "perCall" }] };
  }

  /** Runs one request; a failure becomes a PluginError that says what was tried. */
  async run<T>(
    subscription: string,
    attempt: Attempt,
    call: Call,
    request: (client: ComputeManagementClient, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    return await translated(attempt, call, async () => {
      return await request(this.#client(subscription), { abortSignal: call.signal });
    });
  }

  /** Runs the first request of an operation and answers what remains to be waited for. */
  async start(
    method: "PUT" | "DELETE",
    subscription: string,
    attempt: Attempt,
    call: Call,
    request: LongRequest,
  ): Promise<ArmOperation> {
    return await translated(attempt, call, async () => {
      const client = this.#client(subscription);
      let answer: ArmAnswer | undefined;
      const onResponse = (response: PipelineResponse): void => void (answer = answerOf(response));
      await request(client, { abortSignal: call.signal, onResponse }).submitted();
      if (answer === undefined) throw new Error("the SDK handed over no answer");
      if (method === "PUT" && !tellsOfResource(answer)) throw foreignAnswer(attempt);
      return new ArmOperation(answer, method, {
        get: async (url, call) => await this.#get(client, url, attempt, call),
        describe: (failure) => describeLateFailure(failure, attempt),
      });
    });
  }

  async #get(client: ComputeManagementClient, url: string, attempt: Attempt, call: Call): Promise<ArmAnswer> {
    const looking = { action: `${attempt.action}: look how far it is`, permission: attempt.permission };
    return await translated(looking, call, async () => {
      const request = createPipelineRequest({ url, abortSignal: call.signal });
      const response = await client.pipeline.sendRequest(this.#options.httpClient, request);
      const answer = answerOf(response);
      if (response.status < 400) return answer;
      if (response.status === 404)
        // ARM's replicas learn of an operation one after another.
        throw new PluginError(`${looking.action}: Azure does not know the operation (HTTP 404)`, {
          kind: "unavailable",
        });
      const error = errorIn(answer.body);
      throw new RestError(error?.message ?? "", {
        statusCode: response.status,
        ...(error?.code === undefined ? {} : { code: error.code }),
        request,
        response,
      });
    });
  }

  #client(subscription: string): ComputeManagementClient {
    const key = subscription.toLowerCase();
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const client = new ComputeManagementClient(this.#credential, subscription, this.#options);
    this.#clients.set(key, client);
    return client;
  }
}

async function translated<T>(attempt: Attempt, call: Call, work: () => Promise<T>): Promise<T> {
  try {
    // The SDK hands one token to many calls and lets none of them end the wait for it.
    return await within(work(), call.signal);
  } catch (error) {
    throw translateArmError(error, { ...attempt, signal: call.signal });
  }
}

/** Whether an answer tells how a resource goes on, or is one: a proxy's page must not count as a snapshot. */
function tellsOfResource(answer: ArmAnswer): boolean {
  if (["azure-asyncoperation", "operation-location", "location"].some((name) => answer.header(name) !== undefined))
    return true;
  const { body } = answer;
  return typeof body === "object" && body !== null && "id" in body;
}

function answerOf({ status, headers, bodyAsText, request }: PipelineResponse): ArmAnswer {
  return { status, header: (name) => headers.get(name), body: parsed(bodyAsText), url: request.url };
}

function parsed(text: string | null | undefined): unknown {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    // A page of a proxy: its status says enough.
    return undefined;
  }
}

function errorIn(body: unknown): { readonly code?: string; readonly message?: string } | undefined {
  // ARM's errors have one form; what is not of it has neither field.
  return (body as { readonly error?: { readonly code?: string; readonly message?: string } } | undefined)?.error;
}
