import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call, ObjectRef } from "@flotilla/sdk/plugin";
import { ObjectUpload, storeRecord } from "./object-upload.ts";
import type { ObjectRecord } from "./object-tags.ts";
import { isNotMadeYet } from "./repository-absence.ts";
import type { Repository } from "./repository.ts";
import type { RepositoryView } from "./repository-view.ts";

/**
 * Stores an object. A large one in two steps: its bytes, which nobody sees, and the record that shows them once their
 * size and hash are known. A small one, known before it is sent, in one.
 */
export async function putObject(
  repository: Repository,
  view: RepositoryView,
  object: ObjectRef,
  body: AsyncIterable<Uint8Array>,
  call: Call,
): Promise<void> {
  // Beside the upload: the record must come after all that there are, whatever the clocks of their writers say.
  const known = view.recent(call).then(
    () => undefined,
    (error: unknown) => (isNotMadeYet(error) ? undefined : { error }),
  );
  const newOrder = async (): Promise<number> => {
    const failure = await known;
    if (failure !== undefined) throw failure.error;
    return Math.max(Date.now(), view.lastOrder + 1);
  };
  try {
    await using upload = new ObjectUpload(object, body);
    const isWhole = (await upload.isSmall()) && upload.content.sizeBytes > 0 && repository.restic.version.tellsSizes;
    const dataId = isWhole ? undefined : await upload.storeData(repository, call);
    const order = await newOrder();
    const record: ObjectRecord = { ...object, upload: upload.upload, order, content: upload.content };
    const store = async (): Promise<string> =>
      isWhole ? await upload.storeWhole(repository, record, call) : await storeRecord(repository, record, call);
    const recordId = await surely(view, record, call, store);
    if (recordId !== undefined) view.made({ ...record, recordId, dataId: isWhole ? recordId : dataId });
  } catch (error) {
    throw PluginError.from(error);
  }
}

/** Stores a record; where that fails, the repository says whether it was stored all the same. */
async function surely(
  view: RepositoryView,
  record: ObjectRecord,
  call: Call,
  store: () => Promise<string>,
): Promise<string | undefined> {
  try {
    return await store();
  } catch (error) {
    // What restic stored short is no object, and where it did not begin there is none.
    if (call.signal.aborted || isKind(error, "held") || isKind(error, "incomplete")) throw error;
    const isStored = await view.complete(call).then(
      (index) => index.versions(record).some(({ upload }) => upload === record.upload),
      () => false,
    );
    if (!isStored) throw error;
    call.log.info("restic failed after it had stored the object", { reason: PluginError.from(error).message });
    return undefined;
  }
}
