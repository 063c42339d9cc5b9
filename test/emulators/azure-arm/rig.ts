import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";

import { ComputeManagementClient } from "@azure/arm-compute";
import type { Snapshot } from "@azure/arm-compute";

import { armAudience } from "../azure-identity/tokens.ts";
import { azureDefaults } from "./seeds.ts";
import { startAzureArm } from "./start-arm.ts";
import type { AzureArmOptions, AzureArmStandIn } from "./start-arm.ts";

const { location, resourceGroup, subscriptionId, tenantId, clientId } = azureDefaults;

/** Who asks in the tests of the stand-in. */
export const caller = { tenantId, clientId, objectId: "44444444-4444-4444-8444-444444444444" };

/** A stand-in with a client. */
export interface ArmRig {
  readonly arm: AzureArmStandIn;
  readonly client: ComputeManagementClient;
  /** Makes an incremental snapshot and answers as soon as it was accepted. */
  readonly accept: (name: string, sourceResourceId: string, more?: Partial<Snapshot>) => Promise<void>;
  /** Copies a snapshot to the other region and answers as soon as that was accepted. */
  readonly copy: (name: string, sourceResourceId: string) => Promise<void>;
}

/** Starts a stand-in that ends with the test. */
export async function startRig(t: TestContext, options: AzureArmOptions = {}): Promise<ArmRig> {
  const arm = await startAzureArm(options);
  t.after(() => arm.close());
  const client = clientOf(arm);
  const accept: ArmRig["accept"] = async (name, sourceResourceId, more = {}) => {
    const wanted = { location, incremental: true, creationData: { createOption: "Copy", sourceResourceId }, ...more };
    await client.snapshots.createOrUpdate(resourceGroup, name, wanted).submitted();
  };
  const copy: ArmRig["copy"] = (name, sourceResourceId) =>
    accept(name, sourceResourceId, {
      location: azureDefaults.otherLocation,
      creationData: { createOption: "CopyStart", sourceResourceId },
    });
  return { arm, client, accept, copy };
}

/** Makes a client with any token. */
export function clientOf(arm: AzureArmStandIn, token = arm.tokens.issue(caller, armAudience)): ComputeManagementClient {
  const getToken = (): Promise<{ token: string; expiresOnTimestamp: number }> =>
    Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 });
  const options = { endpoint: arm.url, tlsOptions: { ca: arm.caPem }, retryOptions: { maxRetries: 0 } };
  return new ComputeManagementClient({ getToken }, subscriptionId, options);
}

/** The default id of a disk or snapshot. */
export function idOf(kind: "disks" | "snapshots", name: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/${kind}/${name}`;
}

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly json: unknown;
}

/** Sends a request without an SDK, with a good token where no header says otherwise. */
export async function sendRaw(
  arm: AzureArmStandIn,
  method: string,
  path: string,
  options: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<RawAnswer> {
  const headers = { authorization: `Bearer ${arm.tokens.issue(caller, armAudience)}`, ...options.headers };
  const sent = request(new URL(path, arm.url), { method, ca: arm.caPem, headers, agent: false });
  const answered = once(sent, "response");
  sent.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  // What node documents for this event.
  const [response] = (await answered) as [IncomingMessage];
  const body = await text(response);
  const json: unknown = body === "" ? undefined : JSON.parse(body);
  return { status: response.statusCode ?? 0, headers: response.headers, json };
}

/** A clock that stands still until it is moved. */
export function stoppedClock(): { readonly now: () => Date; move(ms: number): void } {
  let nowMs = Date.parse("2026-03-01T12:00:00Z");
  return {
    now: () => new Date(nowMs),
    move: (ms) => {
      nowMs += ms;
    },
  };
}
