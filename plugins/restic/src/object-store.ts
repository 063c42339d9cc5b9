import { compareKeys, nameOf } from "@flotilla/sdk/objects";
import { PluginError, systemClock } from "@flotilla/sdk/plugin";
import type {
  Call,
  ObjectDescription,
  ObjectRef,
  OpenContext,
  OpenedObjectStore,
  PrefixQuery,
} from "@flotilla/sdk/plugin";
import type { ObjectStoreConfig } from "./config.ts";
import { checkRepository } from "./object-store-check.ts";
import { downloadObject } from "./object-download.ts";
import { removeObject } from "./object-removal.ts";
import { putObject } from "./object-put.ts";
import type { ObjectContent, ObjectRecord } from "./object-tags.ts";
import { checkRepositoryData } from "./repository-data.ts";
import { isNotMadeYet } from "./repository-absence.ts";
import { Repository } from "./repository.ts";
import { RepositoryView } from "./repository-view.ts";
import { Tidying } from "./tidying.ts";

/** Opens a BackupStorageLocation. Only files and restic's version are looked at; the repository is asked for nothing. */
export async function openObjectStore(config: ObjectStoreConfig, context: OpenContext): Promise<OpenedObjectStore> {
  const repository = await Repository.open(config, context);
  const view = new RepositoryView(repository, systemClock);
  const tidying = new Tidying(repository, view);
  const root = config.prefix.replaceAll(/^\/+|\/+$/g, "");
  // The server validates a location, a new one too, by what is at its top. By what is below, it decides which Backup
  // objects to delete: nothing is said of that where a repository may only be out of sight.
  const keysOf = async (bucket: string, prefix: string, call: Call): Promise<readonly string[]> => {
    const list = async (): Promise<readonly string[]> => (await view.listing(call)).keys(bucket);
    const isTop = ["", root, `${root}/`].includes(prefix);
    return isTop ? ((await unlessNotMadeYet(list)) ?? []) : await list();
  };

  return {
    putObject: async (object, body, call) => {
      await putObject(repository, view, object, body, call);
      tidying.begin(call.log);
    },
    getObject: (object, call) => downloadObject(repository, view, object, call),
    // The server asks before each backup, the first one too.
    objectExists: async (object, call) =>
      (await unlessNotMadeYet(async () => await find(view, object, call))) !== undefined,
    describeObject: async (object, call) => {
      const version = await find(view, object, call);
      if (version?.content === undefined)
        throw new PluginError(`describe ${nameOf(object)}: not found`, { kind: "not-found" });
      return describe(version, version.content);
    },
    listObjects: async ({ bucket, prefix }, call) => {
      const keys = (await keysOf(bucket, prefix, call)).filter((key) => key.startsWith(prefix));
      return keys.sort((a, b) => compareKeys(b, a));
    },
    listCommonPrefixes: async (query, call) => commonPrefixes(await keysOf(query.bucket, query.prefix, call), query),
    deleteObject: async (object, call) => {
      await removeObject(repository, view, object, call);
      tidying.begin(call.log);
    },
    createSignedUrl: async (object) => {
      throw new PluginError(
        `sign a URL for ${nameOf(object)}: a restic repository serves no URLs; use flotilla backup download, which reads through the plugin`,
        { kind: "unsupported" },
      );
    },
    check: (call) => checkRepository({ config, repository, view }, call),
    checkData: (subset, call) => checkRepositoryData(repository, subset, call),
    close: async () => {
      await tidying.close();
      await repository.close();
    },
  };
}

/** Undefined where no repository was made yet, as far as is known. */
async function unlessNotMadeYet<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (isNotMadeYet(error)) return undefined;
    throw error;
  }
}

/** Looks an object up; that there is none is said only of a listing made for the question. */
async function find(view: RepositoryView, object: ObjectRef, call: Call): ReturnType<typeof findRecent> {
  return (await findRecent(view, object, call)) ?? (await view.complete(call)).current(object);
}

async function findRecent(view: RepositoryView, object: ObjectRef, call: Call): Promise<ObjectRecord | undefined> {
  return (await view.recent(call)).current(object);
}

function describe({ upload, order }: ObjectRecord, { sizeBytes, sha256 }: ObjectContent): ObjectDescription {
  return {
    sizeBytes: BigInt(sizeBytes),
    checksum: { algorithm: "sha256", value: sha256.toString("base64"), scope: "full-object" },
    version: upload,
    lastModified: new Date(order),
    hold: "",
  };
}

function commonPrefixes(keys: readonly string[], { prefix, delimiter }: PrefixQuery): readonly string[] {
  const found = new Set<string>();
  for (const key of keys) {
    if (!key.startsWith(prefix)) continue;
    const end = key.indexOf(delimiter, prefix.length);
    if (end >= 0) found.add(key.slice(0, end + delimiter.length));
  }
  return [...found].sort(compareKeys);
}
