import { failure, isKind, ok, PluginError } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { encryptionSetPermission } from "./managed-disk-api.ts";
import type { ManagedDiskApi } from "./managed-disk-api.ts";
import { parseEncryptionSetId } from "./managed-disk-ids.ts";
import type { Place } from "./managed-disk-ids.ts";

type EncryptionSetApi = Pick<ManagedDiskApi, "readEncryptionSet" | "encryptionSetsIn">;

// It is about a restore to come: the backup need not wait longer.
const lookTimeoutMs = 10_000;

/** Looks at the customers' keys of disks that are backed up: a snapshot needs none of them, the restored disk does. */
export class EncryptionSetWatch {
  readonly #api: EncryptionSetApi;
  readonly #seen = new Set<string>();

  constructor(api: EncryptionSetApi) {
    this.#api = api;
  }

  /** Warns once of a key with which no disk could be restored now. Never throws. */
  async look(setId: string | undefined, call: Call): Promise<void> {
    const set = parseEncryptionSetId(setId ?? "");
    if (setId === undefined || set === undefined || this.#seen.has(setId)) return;
    this.#seen.add(setId);
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(lookTimeoutMs)]);
    try {
      await this.#api.readEncryptionSet(set, { ...call, signal });
    } catch (error) {
      const { message } = PluginError.from(error);
      if (isKind(error, "denied") || isKind(error, "not-found") || isKind(error, "invalid-config"))
        call.log.warn("the snapshot of this disk cannot be restored until its disk encryption set can be read", {
          diskEncryptionSet: setId,
          reason: message,
        });
      else call.log.debug("the disk encryption set could not be looked at", { reason: message });
    }
  }
}

/** Tries whether disks can be restored with each of the customers' keys that the disks there have. */
export async function* checkEncryptionSets(api: EncryptionSetApi, disks: Place, call: Call): AsyncGenerator<Finding> {
  for (const setId of await setsIn(api, disks, call)) yield* checkEncryptionSet(api, setId, call);
}

/** Tries whether disks can be made with one of the customers' keys. */
export async function* checkEncryptionSet(
  api: Pick<EncryptionSetApi, "readEncryptionSet">,
  setId: string,
  call: Call,
): AsyncGenerator<Finding> {
  const set = parseEncryptionSetId(setId);
  if (set === undefined) return;
  try {
    await api.readEncryptionSet(set, call);
    yield ok(encryptionSetPermission, `allowed on "${set.name}"`);
  } catch (error) {
    yield failure(encryptionSetPermission, error);
  }
}

async function setsIn(api: EncryptionSetApi, disks: Place, call: Call): Promise<readonly string[]> {
  try {
    return await api.encryptionSetsIn(disks, call);
  } catch {
    // Whatever is wrong was a finding of the reads already.
    return [];
  }
}
