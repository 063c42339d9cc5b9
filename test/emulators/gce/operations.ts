import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { Call, Handler, Json } from "./call.ts";
import { notFound } from "./gce-error.ts";
import type { Problem } from "./gce-error.ts";
import { operationStatus } from "./model.ts";
import type { Operation } from "./model.ts";
import { linkTo, placePath } from "./place.ts";
import type { Place } from "./place.ts";

/** Begins an operation and keeps it for those who ask how far it is. */
export function begin(
  call: Call,
  what: {
    readonly type: string;
    readonly target: string;
    readonly targetId: string;
    readonly place?: Place;
    readonly failure?: Problem | undefined;
  },
): Operation {
  const { nowMs } = call;
  const { failure, place = call.place, ...rest } = what;
  const operation: Operation = {
    ...rest,
    place,
    project: call.project,
    name: `operation-${nowMs}-${randomBytes(7).toString("hex")}-${randomBytes(4).toString("hex")}-${randomBytes(4).toString("hex")}`,
    id: call.state.nextId(),
    user: call.member,
    startedMs: nowMs,
    doneMs: nowMs + call.settings.pendingMs,
    ...(failure === undefined ? {} : { failure }),
  };
  call.state.operations.set(operation.name, operation);
  const requestId = call.query.get("requestId");
  if (requestId !== undefined) call.state.requests.set(`${call.project}/${requestId}`, operation.name);
  return operation;
}

/** zoneOperations.get, regionOperations.get, globalOperations.get. */
export const getOperation: Handler = (call) => ({ json: writeOperation(find(call), call.nowMs) });

/** zoneOperations.wait, regionOperations.wait, globalOperations.wait: as long as it may take, but not for ever. */
export const waitForOperation: Handler = async (call): Promise<Json> => {
  const operation = find(call);
  const until = Date.now() + call.settings.waitMs;
  for (;;) {
    const nowMs = call.clock();
    const leftMs = until - Date.now();
    if (operationStatus(operation, nowMs) === "DONE" || leftMs <= 0) return { json: writeOperation(operation, nowMs) };
    await delay(Math.max(1, Math.min(leftMs, operation.doneMs - nowMs, 20)));
  }
};

function find(call: Call): Operation {
  const operation = call.state.operations.get(call.name);
  const path = `projects/${call.project}/${placePath(call.place)}`;
  call.permit(`compute.${call.place.kind}Operations.get`, `${path}/operations/${call.name}`);
  if (operation === undefined || `projects/${operation.project}/${placePath(operation.place)}` !== path) {
    throw notFound(`${path}/operations/${call.name}`);
  }
  return operation;
}

/** Writes an operation. */
export function writeOperation(operation: Operation, nowMs: number): Readonly<Record<string, unknown>> {
  const { place, name, project, failure, startedMs, doneMs } = operation;
  const status = operationStatus(operation, nowMs);
  const path = `projects/${project}/${placePath(place)}`;
  const isDone = status === "DONE";
  const whole = Math.max(1, doneMs - startedMs);
  return {
    kind: "compute#operation",
    id: operation.id,
    name,
    ...(place.kind === "global" ? {} : { [place.kind]: linkTo(path) }),
    operationType: operation.type,
    targetLink: linkTo(operation.target),
    targetId: operation.targetId,
    status,
    user: operation.user,
    progress: isDone ? 100 : Math.min(99, Math.floor((100 * (nowMs - startedMs)) / whole)),
    insertTime: new Date(startedMs).toISOString(),
    ...(status === "PENDING" ? {} : { startTime: new Date(startedMs).toISOString() }),
    ...(isDone ? { endTime: new Date(doneMs).toISOString() } : {}),
    ...(isDone && failure !== undefined ? writeFailure(failure) : {}),
    selfLink: linkTo(`${path}/operations/${name}`),
  };
}

function writeFailure({ code, message, status = 400 }: Problem): Readonly<Record<string, unknown>> {
  return {
    error: { errors: [{ code, message }] },
    httpErrorStatusCode: status,
    httpErrorMessage: httpMessages[status] ?? "BAD REQUEST",
  };
}

const httpMessages: Readonly<Record<number, string>> = {
  403: "FORBIDDEN",
  404: "NOT FOUND",
  409: "CONFLICT",
  500: "INTERNAL SERVER ERROR",
  503: "SERVICE UNAVAILABLE",
};
