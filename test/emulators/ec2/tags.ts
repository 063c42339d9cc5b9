import { accountIdOf } from "../accounts.ts";
import { element, leaf } from "../xml.ts";
import { endDryRun, findOwnSnapshot, findVolume } from "./call.ts";
import type { Call, Handler } from "./call.ts";
import { Ec2Error, invalidValue } from "./ec2-error.ts";
import { applyFilters, takePage } from "./filters.ts";
import type { Params } from "./params.ts";

type Tags = Readonly<Record<string, string>>;

const maxTags = 50;
const maxKeyLength = 128;
const maxValueLength = 256;

/** Reads the tags for one kind of resource out of TagSpecification. */
export function readTagSpecification(params: Params, resourceType: "volume" | "snapshot"): Tags {
  const specifications = params.structures("TagSpecification");
  for (const specification of specifications) {
    const type = specification.required("ResourceType");
    if (type === resourceType) continue;
    throw invalidValue(`'${type}' is not a valid taggable resource type for this operation.`);
  }
  return checkTags(specifications.flatMap((specification) => specification.structures("Tag")));
}

/** Writes a set of tags. */
export function writeTags(tags: Tags): string {
  const items = Object.entries(tags).map(([key, value]) => element("item", [leaf("key", key), leaf("value", value)]));
  return items.length === 0 ? "" : element("tagSet", items);
}

/** CreateTags. */
export const createTags: Handler = (call) => {
  const added = checkTags(call.params.structures("Tag"));
  if (Object.keys(added).length === 0)
    throw new Ec2Error("MissingParameter", "The request must contain the parameter Tag");
  const changes = resourcesOf(call).map((resource) => ({ resource, tags: { ...resource.tags, ...added } }));
  if (changes.some(({ tags }) => countUserTags(tags) > maxTags)) throw tooMany();
  endDryRun(call);
  for (const { resource, tags } of changes) resource.replace(tags);
  return [leaf("return", true)];
};

/** DeleteTags; a value that differs keeps the tag, no tag at all removes every one. */
export const deleteTags: Handler = (call) => {
  const wanted = call.params.structures("Tag").map((tag) => ({ key: tag.required("Key"), value: tag.text("Value") }));
  const resources = resourcesOf(call);
  endDryRun(call);
  for (const resource of resources) {
    const kept = Object.entries(resource.tags).filter(([key, value]) => {
      const isReserved = key.startsWith("aws:");
      const isNamed = wanted.some((tag) => tag.key === key && (tag.value === undefined || tag.value === value));
      return isReserved || (wanted.length > 0 && !isNamed);
    });
    resource.replace(Object.fromEntries(kept));
  }
  return [leaf("return", true)];
};

/** DescribeTags. */
export const describeTags: Handler = (call) => {
  const owner = accountIdOf(call.account);
  const { volumes, snapshots } = call.region;
  const all = [
    ...[...volumes.values()].map((volume) => ({ ...volume, kind: "volume" })),
    ...[...snapshots.values()].map((snapshot) => ({ ...snapshot, kind: "snapshot" })),
  ]
    .filter((resource) => resource.ownerId === owner)
    .flatMap(({ id, kind, tags }) => Object.entries(tags).map(([key, value]) => ({ id, kind, key, value })));
  const found = applyFilters(
    call.params,
    all,
    (tag) => ({ "resource-id": [tag.id], "resource-type": [tag.kind], key: [tag.key], value: [tag.value] }),
    ({ key, value }) => ({ [key]: value }),
  );
  const { page, nextToken } = takePage(call.params, found, ({ id, key }) => `${id}/${key}`, "ResourceId");
  const items = page.map(({ id, kind, key, value }) =>
    element("item", [leaf("resourceId", id), leaf("resourceType", kind), leaf("key", key), leaf("value", value)]),
  );
  return [element("tagSet", items), leaf("nextToken", nextToken)];
};

interface Taggable {
  readonly tags: Tags;
  readonly replace: (tags: Tags) => void;
}

function resourcesOf(call: Call): readonly Taggable[] {
  const ids = call.params.list("ResourceId");
  if (ids.length === 0) throw new Ec2Error("MissingParameter", "The request must contain the parameter resourceIdSet");
  const { volumes, snapshots } = call.region;
  return ids.map((id): Taggable => {
    if (id.startsWith("vol-")) {
      const volume = findVolume(call, id);
      return { tags: volume.tags, replace: (tags) => void volumes.set(id, { ...volume, tags }) };
    }
    if (id.startsWith("snap-")) {
      const snapshot = findOwnSnapshot(call, id);
      return { tags: snapshot.tags, replace: (tags) => void snapshots.set(id, { ...snapshot, tags }) };
    }
    throw new Ec2Error("InvalidID", `The ID '${id}' is not valid`);
  });
}

function checkTags(list: readonly Params[]): Tags {
  const tags = new Map<string, string>();
  for (const tag of list) {
    const key = tag.required("Key");
    const value = tag.text("Value") ?? "";
    if (tags.has(key)) throw invalidValue(`Duplicate tag key '${key}' specified.`);
    if (/^aws:/i.test(key)) throw invalidValue(`Tag keys starting with 'aws:' are reserved for internal use`);
    if (key.length > maxKeyLength)
      throw invalidValue(`Tag key exceeds the maximum length of ${maxKeyLength} characters`);
    if (value.length > maxValueLength) {
      throw invalidValue(`Tag value exceeds the maximum length of ${maxValueLength} characters`);
    }
    tags.set(key, value);
  }
  if (tags.size > maxTags) throw tooMany();
  return Object.fromEntries(tags);
}

function countUserTags(tags: Tags): number {
  return Object.keys(tags).filter((key) => !key.startsWith("aws:")).length;
}

function tooMany(): Ec2Error {
  return new Ec2Error("TagLimitExceeded", `More than ${maxTags} tags specified`);
}
