import type { Call, Handler } from "./call.ts";
import { diskTypesOf } from "./disk-types.ts";
import { GceError, invalidField } from "./gce-error.ts";
import { readFilter } from "./filter.ts";
import { linkTo, placePath } from "./place.ts";
import { writeDisk, writeSnapshot } from "./write-resource.ts";

type Json = Readonly<Record<string, unknown>>;

const maxPage = 500;

/** disks.list, regionDisks.list. */
export const listDisks: Handler = (call) => {
  const here = placePath(call.place);
  call.permit("compute.disks.list", `projects/${call.project}`);
  const disks = [...call.state.disks.values()].filter(
    ({ project, place }) => project === call.project && placePath(place) === here,
  );
  return {
    json: page(
      call,
      "compute#diskList",
      `${here}/disks`,
      disks.map((disk) => writeDisk(disk, call.nowMs)),
    ),
  };
};

/** disks.aggregatedList: the disks of all zones and regions. */
export const listAllDisks: Handler = (call) => {
  call.permit("compute.disks.list", `projects/${call.project}`);
  const matches = readFilter(call.query.get("filter"));
  // Without returnPartialSuccess one place that cannot be reached fails the whole list.
  if (call.query.get("returnPartialSuccess") !== "true") call.regions.checkAll();
  const items = new Map<string, Json[]>();
  for (const disk of call.state.disks.values()) {
    const written = writeDisk(disk, call.nowMs);
    if (disk.project !== call.project || !matches(written)) continue;
    const key = placePath(disk.place);
    items.set(key, [...(items.get(key) ?? []), written]);
  }
  const entries = [...items].map(([key, disks]) => [key, { disks }]);
  const id = `projects/${call.project}/aggregated/disks`;
  return { json: { kind: "compute#diskAggregatedList", id, items: Object.fromEntries(entries), selfLink: linkTo(id) } };
};

/** snapshots.list. */
export const listSnapshots: Handler = (call) => {
  call.permit("compute.snapshots.list", `projects/${call.project}`);
  const snapshots = [...call.state.snapshots.values()].filter(({ project }) => project === call.project);
  const written = snapshots.map((snapshot) => writeSnapshot(snapshot, call.nowMs));
  return { json: page(call, "compute#snapshotList", "global/snapshots", written) };
};

/** diskTypes.list, regionDiskTypes.list. */
export const listDiskTypes: Handler = (call) => {
  const { place } = call;
  const here = placePath(place);
  const all = Object.keys(diskTypesOf(place.kind === "region" ? "region" : "zone"));
  const types = all.filter((type) => call.regions.hasDiskType(place, type));
  const written = types.map((name) => ({
    kind: "compute#diskType",
    name,
    selfLink: linkTo(`projects/${call.project}/${here}/diskTypes/${name}`),
  }));
  return { json: page(call, "compute#diskTypeList", `${here}/diskTypes`, written) };
};

function page(call: Call, kind: string, path: string, all: readonly Json[]): Json {
  const matches = readFilter(call.query.get("filter"));
  const sorted = sort(all.filter(matches), call.query.get("orderBy"));
  const size = readPageSize(call);
  const start = readToken(call.query.get("pageToken"));
  const items = sorted.slice(start, start + size);
  const hasMore = sorted.length > start + size;
  const id = `projects/${call.project}/${path}`;
  return {
    kind,
    id,
    ...(items.length === 0 ? {} : { items }),
    ...(hasMore ? { nextPageToken: Buffer.from(`from:${start + size}`).toString("base64url") } : {}),
    selfLink: linkTo(id),
  };
}

function sort(all: readonly Json[], orderBy: string | undefined): readonly Json[] {
  const text = (one: Json, field: string): string => JSON.stringify(one[field]);
  if (orderBy === undefined || orderBy === "" || orderBy === "name") {
    return all.toSorted((a, b) => (text(a, "name") < text(b, "name") ? -1 : 1));
  }
  if (orderBy !== "creationTimestamp desc") throw invalidField("orderBy", orderBy, "Not supported.");
  return all.toSorted((a, b) => (text(a, "creationTimestamp") > text(b, "creationTimestamp") ? -1 : 1));
}

function readPageSize(call: Call): number {
  const text = call.query.get("maxResults");
  if (text === undefined) return call.settings.pageSize;
  const size = Number(text);
  if (/^\d+$/.test(text) && size >= 1 && size <= maxPage) return Math.min(size, call.settings.pageSize);
  throw invalidField("maxResults", text, `Must be between 1 and ${maxPage}.`);
}

function readToken(token: string | undefined): number {
  if (token === undefined || token === "") return 0;
  const [, start] = /^from:(\d+)$/.exec(Buffer.from(token, "base64url").toString("utf8")) ?? [];
  if (start === undefined) throw new GceError(400, "invalid", `Invalid value for field 'pageToken': '${token}'.`);
  return Number(start);
}
