import { ArmError } from "./arm-error.ts";
import type { Operation } from "./model.ts";
import { keyOf } from "./resource-id.ts";
import type { ArmState } from "./state.ts";
import { writeDisk, writeSnapshot } from "./write-resource.ts";

type Json = Readonly<Record<string, unknown>>;

/** How far an operation is, as `Azure-AsyncOperation` tells it; the answer's status is always 200. */
export function writeStatus(operation: Operation, state: ArmState, nowMs: number): Json {
  const status = statusOf(operation, nowMs);
  const output = status === "Succeeded" ? outputOf(operation, state, nowMs) : undefined;
  const error = errorOf(operation, status);
  return {
    startTime: new Date(operation.startedMs).toISOString(),
    ...(status === "InProgress"
      ? { percentComplete: percentOf(operation, nowMs) }
      : { endTime: new Date(operation.preemptedMs ?? operation.readyMs).toISOString() }),
    status,
    ...(output === undefined ? {} : { properties: { output } }),
    ...(error === undefined ? {} : { error }),
    name: operation.name,
  };
}

/** What `Location` answers: undefined while the operation goes on, then what it made. */
export function writeResult(operation: Operation, state: ArmState, nowMs: number): Json | undefined {
  const status = statusOf(operation, nowMs);
  if (status === "InProgress") return undefined;
  const error = errorOf(operation, status);
  if (error !== undefined) throw new ArmError(409, error.code, error.message);
  return outputOf(operation, state, nowMs) ?? {};
}

function statusOf(operation: Operation, nowMs: number): "InProgress" | "Succeeded" | "Failed" | "Canceled" {
  if (operation.preemptedMs !== undefined) return "Canceled";
  if (nowMs < operation.readyMs) return "InProgress";
  return operation.failure === undefined ? "Succeeded" : "Failed";
}

function percentOf(operation: Operation, nowMs: number): number {
  const whole = operation.readyMs - operation.startedMs;
  return Math.min(99, Math.floor((100 * (nowMs - operation.startedMs)) / whole));
}

function errorOf(
  operation: Operation,
  status: string,
): { readonly code: string; readonly message: string } | undefined {
  if (status === "Failed") return operation.failure;
  if (status !== "Canceled") return undefined;
  return { code: "OperationPreempted", message: "Operation execution has been preempted by a more recent operation." };
}

function outputOf(operation: Operation, state: ArmState, nowMs: number): Json | undefined {
  if (operation.verb !== "write") return operation.output;
  const key = keyOf(operation.resource);
  const disk = state.disks.get(key);
  if (disk !== undefined) return writeDisk(disk, nowMs);
  const snapshot = state.snapshots.get(key);
  return snapshot === undefined ? undefined : writeSnapshot(snapshot, nowMs);
}
