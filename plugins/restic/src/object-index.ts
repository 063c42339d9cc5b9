import { PluginError } from "@flotilla/sdk/plugin";
import type { ObjectRef } from "@flotilla/sdk/plugin";
import { parseTags } from "./object-tags.ts";
import type { ObjectRecord } from "./object-tags.ts";
import type { ListedSnapshot } from "./snapshot-list.ts";

/** A version of an object in the repository. */
export interface ObjectVersion extends ObjectRecord {
  /** Its record's snapshot. */
  readonly recordId: string;
  /** Its data's snapshot, which may be the same; undefined for an empty object and for a deletion. */
  readonly dataId: string | undefined;
}

/** Data without a record. */
export interface LooseData {
  readonly id: string;
  readonly upload: string;
  readonly startedMs: number;
}

/** What a listing of the repository says: which objects there are, and what is left over from others. */
export class ObjectIndex {
  /** Of each object, the newest first. */
  readonly #objects = new Map<string, Map<string, ObjectVersion[]>>();
  readonly #data = new Map<string, LooseData>();
  readonly #orphans: ObjectVersion[] = [];
  #lastOrder = 0;

  constructor(snapshots: readonly ListedSnapshot[]) {
    const records: { readonly record: ObjectRecord; readonly id: string }[] = [];
    for (const { id, startedMs, tags, sizeBytes } of snapshots) {
      const found = parseTags(tags);
      if (found?.kind === "data") this.#data.set(found.upload, { id, upload: found.upload, startedMs });
      else if (found?.holdsData === true) this.#placeWhole(found.record, id, sizeBytes);
      else if (found !== undefined) records.push({ record: found.record, id });
    }
    for (const { record, id } of records) this.#place(record, id);
  }

  /** The highest order of all versions. */
  get lastOrder(): number {
    return this.#lastOrder;
  }

  /** All versions of an object, the newest first; deletions are among them. */
  versions({ bucket, key }: ObjectRef): readonly ObjectVersion[] {
    return this.#objects.get(bucket)?.get(key) ?? [];
  }

  /** The version that counts; undefined where there is none, or it is a deletion. */
  current(object: ObjectRef): ObjectVersion | undefined {
    const newest = this.versions(object)[0];
    return newest?.content === undefined ? undefined : newest;
  }

  /** The keys of a bucket's objects, in no order. */
  keys(bucket: string): readonly string[] {
    const objects = this.#objects.get(bucket) ?? new Map<string, ObjectVersion[]>();
    return [...objects].filter(([, [newest]]) => newest?.content !== undefined).map(([key]) => key);
  }

  /** Versions that nobody sees since `sinceMs`: a newer one replaced them, or they are deletions of nothing. */
  superseded(): readonly { readonly version: ObjectVersion; readonly sinceMs: number }[] {
    const all = [...this.#objects.values()].flatMap((objects) => [...objects.values()]);
    return all.flatMap((versions) =>
      versions.flatMap((version, index) => {
        const newer = versions[index - 1];
        if (newer !== undefined) return [{ version, sinceMs: newer.order }];
        return versions.length === 1 && isDeletion(version) ? [{ version, sinceMs: version.order }] : [];
      }),
    );
  }

  /** Records whose data is gone or not whole, which therefore show nothing. */
  orphans(): readonly ObjectVersion[] {
    return this.#orphans;
  }

  /** Data that no record shows. */
  looseData(): readonly LooseData[] {
    const shown = new Set<string>();
    for (const objects of this.#objects.values())
      for (const versions of objects.values()) for (const { upload } of versions) shown.add(upload);
    return [...this.#data.values()].filter(({ upload }) => !shown.has(upload));
  }

  /** Adds a version that this process made. */
  add(version: ObjectVersion): void {
    const { bucket, key, upload } = version;
    const objects = this.#objects.get(bucket) ?? new Map<string, ObjectVersion[]>();
    this.#objects.set(bucket, objects);
    const others = (objects.get(key) ?? []).filter((other) => other.upload !== upload);
    objects.set(key, [...others, version].sort(newestFirst));
    this.#lastOrder = Math.max(this.#lastOrder, version.order);
  }

  /** Takes a version out that this process removed. */
  remove({ bucket, key, upload }: ObjectRecord): void {
    this.#data.delete(upload);
    const objects = this.#objects.get(bucket);
    const left = objects?.get(key)?.filter((other) => other.upload !== upload) ?? [];
    if (left.length > 0) objects?.set(key, left);
    else objects?.delete(key);
  }

  /** Shows the object of a snapshot that is data and record in one, where its input came whole. */
  #placeWhole(record: ObjectRecord, id: string, sizeBytes: number | undefined): void {
    if (sizeBytes === undefined)
      throw new PluginError(
        "list the objects: restic 0.17 or later wrote to this repository, and older ones cannot tell which objects are whole; use such a version here too",
        { kind: "invalid-config" },
      );
    const version = { ...record, recordId: id, dataId: id };
    if (record.content?.sizeBytes === sizeBytes) this.add(version);
    else this.#orphans.push(version);
  }

  #place(record: ObjectRecord, recordId: string): void {
    const { content, upload } = record;
    const needsData = content !== undefined && content.sizeBytes > 0;
    const data = this.#data.get(upload);
    const version: ObjectVersion = { ...record, recordId, dataId: needsData ? data?.id : undefined };
    if (needsData && data === undefined) this.#orphans.push(version);
    else this.add(version);
  }
}

function newestFirst(a: ObjectVersion, b: ObjectVersion): number {
  if (a.order !== b.order) return b.order - a.order;
  // Two processes at the same millisecond: any order that all readers agree on.
  return a.upload < b.upload ? 1 : -1;
}

function isDeletion({ content }: ObjectVersion): boolean {
  return content === undefined;
}
