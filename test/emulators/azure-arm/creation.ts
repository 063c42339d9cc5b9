import { ArmError, invalidParameter, notAllowed } from "./arm-error.ts";
import type { Call } from "./call.ts";
import type { JsonBody } from "./json-body.ts";
import { completionPercent, provisioningState } from "./model.ts";
import type { CreationData, Disk, Snapshot } from "./model.ts";
import { formatId, keyOf, parseId } from "./resource-id.ts";
import type { ResourceId } from "./resource-id.ts";

/** What something is made of. */
export type Source =
  | { readonly kind: "disk"; readonly disk: Disk }
  | { readonly kind: "snapshot"; readonly snapshot: Snapshot };

const known = new Set([
  "createOption",
  "storageAccountId",
  "imageReference",
  "galleryImageReference",
  "sourceUri",
  "sourceResourceId",
  "uploadSizeBytes",
  "logicalSectorSize",
  "performancePlus",
  "provisionedBandwidthCopySpeed",
  "instantAccessDurationMinutes",
]);

/** Reads how something is to be made, without its source. */
export function readCreation(properties: JsonBody | undefined, type: "disk" | "snapshot"): CreationData {
  const data = properties?.object("creationData");
  if (data === undefined) throw invalidParameter(`Required parameter '${type}.creationData' is missing (null).`);
  const unknown = data.names.find((name) => !known.has(name));
  if (unknown !== undefined) throw unknownMember(`properties.creationData.${unknown}`);
  const createOption = data.text("createOption");
  if (createOption === undefined) {
    throw invalidParameter(`Required parameter '${type}.creationData.createOption' is missing (null).`);
  }
  const sourceResourceId = data.text("sourceResourceId");
  const rest = Object.fromEntries(
    data.names
      .filter((name) => name !== "createOption" && name !== "sourceResourceId")
      .map((name) => [name, data.raw(name)]),
  );
  return { createOption, ...(sourceResourceId === undefined ? {} : { sourceResourceId }), rest };
}

/** Finds the disk or snapshot that a copy is made of. One of another region is not found, as there. */
export function findSource(call: Call, creation: CreationData, location: string): Source {
  const source = findAnywhere(call, creation);
  const found = source.kind === "disk" ? source.disk : source.snapshot;
  if (found.location !== location) throw sourceNotFound(creation.sourceResourceId ?? "");
  return source;
}

/** Finds the disk or snapshot that something is made of, in whatever region. */
export function findAnywhere(call: Call, creation: CreationData): Source {
  const { sourceResourceId } = creation;
  if (sourceResourceId === undefined) {
    throw invalidParameter("Required parameter 'creationData.sourceResourceId' is missing (null).");
  }
  const id = parseId(sourceResourceId);
  if (id === undefined || (id.kind !== "disks" && id.kind !== "snapshots")) {
    throw invalidParameter("The value of parameter creationData.sourceResourceId is invalid.");
  }
  const write = { action: `Microsoft.Compute/${call.id.kind}/write`, scope: formatId(call.id) };
  if (!call.state.subscriptions.has(id.subscriptionId.toLowerCase())) {
    throw new ArmError(
      403,
      "LinkedAuthorizationFailed",
      `The client has permission to perform action '${write.action}' on scope '${write.scope}', however the linked subscription '${id.subscriptionId}' was not found.`,
    );
  }
  // Reading a disk's content needs more than reading that it is there; Velero's documented role has it for disks only.
  const action =
    id.kind === "disks" ? "Microsoft.Compute/disks/beginGetAccess/action" : "Microsoft.Compute/snapshots/read";
  call.permissions.checkLinked(call.principal, write, { action, scope: sourceResourceId });
  if (id.kind === "disks") return { kind: "disk", disk: findReady(call, call.state.disks, sourceResourceId, id) };
  const snapshot = findReady(call, call.state.snapshots, sourceResourceId, id);
  checkCopied(call, snapshot);
  return { kind: "snapshot", snapshot };
}

/** The error of a property that the API does not have. */
export function unknownMember(path: string): ArmError {
  const [, name = path] = /([^.]+)$/.exec(path) ?? [];
  return new ArmError(400, "BadRequest", `Could not find member '${name}' on object. Path '${path}'.`);
}

function findReady<T extends Disk | Snapshot>(
  call: Call,
  all: ReadonlyMap<string, T>,
  text: string,
  id: ResourceId,
): T {
  const found = all.get(keyOf(id));
  if (found === undefined) throw sourceNotFound(text);
  call.regions.check(found.location);
  const state = provisioningState(found, call.nowMs);
  if (state === "Succeeded") return found;
  throw notAllowed(`The source '${text}' is in the state '${state}'.`);
}

function checkCopied(call: Call, snapshot: Snapshot): void {
  const percent = completionPercent(snapshot, call.nowMs);
  if (!snapshot.needsCopy || percent === 100) return;
  throw notAllowed(
    `The snapshot '${snapshot.id.name}' cannot be used before its background copy is complete; its completionPercent is ${percent}.`,
  );
}

function sourceNotFound(sourceResourceId: string): ArmError {
  return new ArmError(404, "NotFound", `Resource ${sourceResourceId} is not found.`);
}
