import { isKind, PluginError } from "../plugin/index.ts";
import { onEachCopy } from "./each-copy.ts";
import { nameOf } from "./object-name.ts";
import { isUnreachable } from "./reach.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";
import type { BlobDescription } from "./blob-driver.ts";
import type { ObjectPlace } from "./copy-place.ts";

/** What a deletion works on. */
export interface DeletedPlaces {
  readonly primary: ObjectPlace;
  readonly copies: readonly ObjectPlace[];
  /** What the location knows of the object. */
  readonly look: (call: Call) => Promise<BlobDescription | undefined>;
  /** Deletes the location's own object. */
  readonly remove: (call: Call) => Promise<void>;
  /** Makes the copy in a place. */
  readonly copy: (place: ObjectPlace, call: Call) => Promise<void>;
}

/** For copies that are made again after the call was given up. */
const repairLimitMs = 60_000;

/**
 * Deletes an object with its copies. Of an object that stays, the copies stay: they are not touched where its location is
 * out of reach or refuses what is held, and are made again where it refuses for another reason.
 */
export async function deleteWithCopies(places: DeletedPlaces, object: ObjectRef, call: Call): Promise<void> {
  const { primary, remove } = places;
  const found = await lookFirst(places, object, call);
  const isKept = found !== undefined && found.hold !== "" && (await primary.context()).driver.refusesHeld === true;
  // A refusal that is to be expected comes before anything is lost.
  if (isKept) await primary.ask(call, async () => await remove(call));
  const emptied: ObjectPlace[] = [];
  try {
    // The copies first: after the location's own object nothing would lead a second try to them.
    await removeCopies(places, emptied, object, call);
    if (!isKept) await primary.ask(call, async () => await remove(call));
  } catch (error) {
    if (found !== undefined && !isKept) await makeAgain(places, emptied, object, call);
    throw error;
  }
}

/** A process that has asked nothing yet does not know whether the location answers. */
async function lookFirst(
  { primary, look }: DeletedPlaces,
  object: ObjectRef,
  call: Call,
): Promise<BlobDescription | undefined> {
  const { unreachable } = primary.reach;
  if (unreachable !== undefined) throw unreachable;
  try {
    return await primary.ask(call, async () => await look(call));
  } catch (error) {
    if (call.signal.aborted || isUnreachable(error)) throw error;
    call.log.debug("an object that is to be deleted cannot be looked up", {
      ...object,
      reason: PluginError.from(error).message,
    });
    return undefined;
  }
}

async function removeCopies(
  { copies }: DeletedPlaces,
  emptied: ObjectPlace[],
  object: ObjectRef,
  call: Call,
): Promise<void> {
  const words = {
    failed: `delete ${nameOf(object)}: it is kept in its own bucket, since this copy cannot be deleted:`,
    warning: "the copy of a deleted object is left behind: delete it by hand",
    fields: { ...object },
  };
  await onEachCopy(copies, call, words, async (place) => {
    if (place.reach.unreachable !== undefined) throw place.reach.unreachable;
    await place.ask(call, async () => {
      const { driver } = await place.context();
      await place.within(call, "delete", object, async (inner) => await driver.remove(place.keyOf(object.key), inner));
    });
    emptied.push(place);
  });
}

/** The copies of an object that is there after all. What fails here must not hide why it is. */
async function makeAgain(
  { copy, look }: DeletedPlaces,
  emptied: readonly ObjectPlace[],
  object: ObjectRef,
  given: Call,
): Promise<void> {
  const call = given.signal.aborted ? { log: given.log, signal: AbortSignal.timeout(repairLimitMs) } : given;
  // A deletion whose answer was lost is one all the same.
  if (emptied.length === 0 || (await look(call).catch(() => "unknown")) === undefined) return;
  const tried = emptied.map(async (place) => {
    try {
      await copy(place, call);
      call.log.info("an object could not be deleted: its copy was made again", { ...object, copy: place.name });
    } catch (error) {
      if (isKind(error, "not-found")) return;
      call.log.warn("an object could not be deleted, and has lost its copy: make it with `flotilla backup copy`", {
        ...object,
        copy: place.name,
        reason: PluginError.from(error).message,
      });
    }
  });
  await Promise.all(tried);
}
