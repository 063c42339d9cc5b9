import { randomBytes } from "node:crypto";

import { invalidParameter, notAllowed } from "./arm-error.ts";
import { begin, checkIdle, findAsked, readBody } from "./call.ts";
import type { Call, Handler } from "./call.ts";
import { completionPercent } from "./model.ts";
import type { Disk, Snapshot } from "./model.ts";
import { readChoice } from "./properties.ts";
import { keyOf } from "./resource-id.ts";

/** Disks_GrantAccess. */
export const grantDisk: Handler = (call) => grant(call, call.state.disks);

/** Snapshots_GrantAccess. */
export const grantSnapshot: Handler = (call) => {
  const snapshot = findAsked(call, call.state.snapshots);
  if (snapshot.needsCopy && completionPercent(snapshot, call.nowMs) < 100) {
    throw notAllowed(`The snapshot '${snapshot.id.name}' cannot be read before its background copy is complete.`);
  }
  return grant(call, call.state.snapshots);
};

/** Disks_RevokeAccess. */
export const revokeDisk: Handler = (call) => revoke(call, call.state.disks);

/** Snapshots_RevokeAccess. */
export const revokeSnapshot: Handler = (call) => revoke(call, call.state.snapshots);

function grant<T extends Disk | Snapshot>(call: Call, all: Map<string, T>): ReturnType<Handler> {
  const one = findAsked(call, all);
  checkIdle(call, one);
  const body = readBody(call);
  const access = readChoice("access", body.text("access"), ["Read", "Write", "None"]);
  const seconds = body.number("durationInSeconds");
  if (access === undefined || seconds === undefined) {
    throw invalidParameter("Required parameter 'access' or 'durationInSeconds' is missing (null).");
  }
  if (access !== "Read")
    throw invalidParameter(`The value '${access}' of parameter 'access' is allowed for uploads only.`);
  const accessUntilMs = call.nowMs + seconds * 1000;
  const expiry = encodeURIComponent(new Date(accessUntilMs).toISOString());
  const signature = encodeURIComponent(randomBytes(32).toString("base64"));
  // Nothing listens there: the content of disks is not kept.
  const accessSAS = `https://md-${one.uniqueId.slice(0, 12)}.blob.storage.azure.net/abcd/abcd?sv=2018-03-28&sr=b&se=${expiry}&sp=r&sig=${signature}`;
  all.set(keyOf(call.id), { ...one, accessUntilMs });
  return { status: 202, operation: begin(call, one.location, "grant", { output: { accessSAS } }) };
}

function revoke<T extends Disk | Snapshot>(call: Call, all: Map<string, T>): ReturnType<Handler> {
  const one = findAsked(call, all);
  checkIdle(call, one);
  all.set(keyOf(call.id), { ...one, accessUntilMs: call.nowMs });
  return { status: 202, operation: begin(call, one.location, "revoke") };
}
