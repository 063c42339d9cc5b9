import { createHash } from "node:crypto";

import { invalidField } from "./gce-error.ts";

/** Labels by their keys. */
export type Labels = Readonly<Record<string, string>>;

const maxLabels = 64;
const keyForm = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const valueForm = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;

/** Reads labels and refuses those that Compute Engine refuses. */
export function readLabels(value: unknown): Labels {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw invalidField("resource.labels", value, "Not a map.");
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length > maxLabels) {
    throw invalidField(
      "resource.labels",
      "",
      `The number of labels ${entries.length} exceeds the limit of ${maxLabels}.`,
    );
  }
  const labels = new Map<string, string>();
  for (const [key, text] of entries) {
    if (!keyForm.test(key))
      throw invalidField("resource.labels", "", `Label key '${key}' violates format constraints.`);
    if (typeof text !== "string" || !valueForm.test(text)) {
      const shown = typeof text === "string" ? text : JSON.stringify(text);
      throw invalidField("resource.labels", "", `Label value '${shown}' violates format constraints.`);
    }
    labels.set(key, text);
  }
  return Object.fromEntries(labels);
}

/** Returns what labels must be changed with: another set has another fingerprint. */
export function fingerprintOf(labels: Labels): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest().subarray(0, 8).toString("base64url");
}
