import { ArmError } from "./arm-error.ts";
import { keyOf } from "./resource-id.ts";
import type { Route } from "./route.ts";
import type { ArmState } from "./state.ts";
import { writeDisk, writeSnapshot } from "./write-resource.ts";

interface Lists {
  readonly state: ArmState;
  readonly settings: { readonly pageSize: number };
}

/** Disks_List, Snapshots_List and both by resource group: one page with the link to the next one. */
export function listPage(
  service: Lists,
  route: Extract<Route, { kind: "list" }>,
  url: string,
  query: ReadonlyMap<string, string>,
  nowMs: number,
): Readonly<Record<string, unknown>> {
  const { state, settings } = service;
  const prefix = `/subscriptions/${route.subscriptionId}/resourcegroups/`.toLowerCase();
  const wanted = route.resourceGroup === undefined ? prefix : `${prefix}${route.resourceGroup.toLowerCase()}/`;
  const written =
    route.of === "disks"
      ? [...state.disks.values()].map((disk) => ({ key: keyOf(disk.id), body: writeDisk(disk, nowMs) }))
      : [...state.snapshots.values()].map((one) => ({ key: keyOf(one.id), body: writeSnapshot(one, nowMs) }));
  const found = written.filter(({ key }) => key.startsWith(wanted)).sort((a, b) => (a.key < b.key ? -1 : 1));
  const after = readToken(query.get("$skiptoken"));
  const rest = found.filter(({ key }) => after === undefined || key > after);
  const page = rest.slice(0, settings.pageSize);
  const last = page.at(-1);
  const value = page.map(({ body }) => body);
  if (last === undefined || page.length === rest.length) return { value };
  const token = encodeURIComponent(Buffer.from(last.key).toString("base64"));
  const version = encodeURIComponent(query.get("api-version") ?? "");
  return { value, nextLink: `${url}?api-version=${version}&$skiptoken=${token}` };
}

function readToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const key = Buffer.from(token, "base64").toString("utf8");
  if (key.startsWith("/subscriptions/")) return key;
  throw new ArmError(400, "InvalidParameter", "The value of parameter $skiptoken is invalid.");
}
