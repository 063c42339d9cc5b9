import type { WholeAnswer } from "../whole-request.ts";
import { GceError, invalidField } from "./gce-error.ts";
import type { Problem } from "./gce-error.ts";
import type { Operation } from "./model.ts";
import type { Place } from "./place.ts";
import type { GceRegions } from "./regions.ts";
import type { GceState } from "./state.ts";

/** The limits of a project; what is absent is so high that nothing reaches it. */
export interface GceQuotas {
  /** Of a project. */
  readonly snapshots?: number;
  /** Of each region, in GB: of pd-standard, and of all that is faster. */
  readonly disksTotalGb?: number;
  readonly ssdTotalGb?: number;
}

/** What the operations need to know of the stand-in's settings. */
export interface GceSettings {
  /** How long an operation takes. */
  pendingMs: number;
  /** How long a snapshot is still UPLOADING when its operation is done. */
  uploadMs: number;
  /** How long `wait` waits at most before it answers with an operation that goes on. */
  waitMs: number;
  readonly pageSize: number;
  quotas: GceQuotas;
  /** Whether a quota is found to be exceeded before the answer, or by the operation. */
  quotaFailure: "answer" | "operation";
}

/** One authenticated request. */
export interface Call {
  readonly project: string;
  readonly place: Place;
  /** The name of the resource that is addressed. */
  readonly name: string;
  readonly query: ReadonlyMap<string, string>;
  readonly rawBody: Buffer;
  readonly member: string;
  readonly state: GceState;
  readonly regions: GceRegions;
  readonly settings: GceSettings;
  readonly kmsKeys: ReadonlySet<string>;
  readonly nowMs: number;
  readonly clock: () => number;
  /** Throws where the caller lacks a permission on what a path names. */
  readonly permit: (permission: string, path: string) => void;
  /** Takes the failure that a test asked for, for the next write to, or from, one of these. */
  readonly takeFailure: (paths: readonly (string | undefined)[]) => PlannedFailure | undefined;
}

/** A failure that comes after the answer. */
export interface PlannedFailure extends Problem {
  /** Whether the operation fails, or only later the copying of the snapshot's blocks. */
  readonly at: "operation" | "upload";
}

/** Answers a request: with an operation that has begun, or with a resource. */
export type Handler = (call: Call) => Operation | Json | Promise<Operation | Json>;

/** What the API writes. */
export interface Json {
  readonly json: Readonly<Record<string, unknown>>;
}

/** Reads a body that is a JSON object. */
export function readBody(call: Call): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = call.rawBody.length === 0 ? {} : JSON.parse(call.rawBody.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Answered like any other body that is no object.
  }
  throw new GceError(400, "parseError", "Parse Error");
}

/** The fields of a resource, by what the stand-in makes of them. */
export interface KnownFields {
  readonly used: readonly string[];
  /** What only the API writes: ignored where a client sends it. */
  readonly written: readonly string[];
  /** What the stand-in has no meaning for: refused where a client sends more than nothing. */
  readonly unsupported: readonly string[];
}

/** Refuses fields that the API does not know, or that would be ignored here but not by the service. */
export function checkKnown(body: Readonly<Record<string, unknown>>, known: KnownFields): void {
  for (const [name, value] of Object.entries(body)) {
    if (known.used.includes(name) || known.written.includes(name)) continue;
    if (!known.unsupported.includes(name)) {
      const message = `Invalid JSON payload received. Unknown name "${name}": Cannot find field.`;
      throw new GceError(400, "badRequest", message);
    }
    // Google's clients send empty maps and lists for what was not set.
    const isEmpty = value === null || value === "" || JSON.stringify(value) === "{}" || JSON.stringify(value) === "[]";
    if (!isEmpty) throw invalidField(`resource.${name}`, value, "It is not known to this stand-in.");
  }
}

/** Reads a text; undefined where there is none. */
export function readText(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw invalidField(`resource.${name}`, value, "The value must be a string.");
}

/** Reads a whole number, which JSON has as a text or as a number; undefined where there is none. */
export function readNumber(body: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw invalidField(`resource.${name}`, value, "The value must be a whole number.");
}

/** Writes a JSON answer. */
export function jsonAnswer(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): WholeAnswer {
  const plain = { "content-type": "application/json; charset=UTF-8", "cache-control": "private" };
  return { status, headers: { ...plain, ...headers }, body: JSON.stringify(body, null, 1) };
}
