import { ArmError, invalidParameter } from "./arm-error.ts";
import type { Problem } from "./arm-error.ts";
import type { Call } from "./call.ts";
import type { JsonBody } from "./json-body.ts";
import { encryptionTypes } from "./model.ts";
import type { DiskEncryptionSet, Encryption } from "./model.ts";
import { formatId, keyOf, parseId } from "./resource-id.ts";

/** The encryption of everything for which no other was asked. */
export const platformEncryption: Encryption = { type: "EncryptionAtRestWithPlatformKey" };

/** Settles how a new or changed resource is encrypted, and why that will not work if so. */
export function settleEncryption(
  call: Call,
  properties: JsonBody | undefined,
  location: string,
  inherited: Encryption,
): { readonly encryption: Encryption; readonly failure: Problem | undefined } {
  const asked = properties?.object("encryption");
  const encryption = asked === undefined ? inherited : readEncryption(call, asked, location);
  const setId = encryption.diskEncryptionSetId;
  // An inherited set may be gone by now; then the key cannot be used either.
  const set = setId === undefined ? undefined : findSet(call, setId);
  if (setId !== undefined && set === undefined) throw setNotFound(setId);
  return { encryption, failure: set?.failure };
}

function readEncryption(call: Call, asked: JsonBody, location: string): Encryption {
  const type = readType(asked.text("type"));
  const setId = asked.text("diskEncryptionSetId");
  if (setId === undefined || setId === "") {
    if (type === undefined || type === platformEncryption.type) return platformEncryption;
    throw invalidParameter(`The encryption type '${type}' requires the parameter 'encryption.diskEncryptionSetId'.`);
  }
  if (type === platformEncryption.type) {
    throw invalidParameter(`The encryption type '${type}' does not allow a disk encryption set.`);
  }
  const set = findSet(call, setId);
  if (set === undefined || set.location !== location) throw setNotFound(setId);
  if (type !== undefined && type !== set.type) {
    throw invalidParameter(
      `The encryption type '${type}' differs from that of the disk encryption set, '${set.type}'.`,
    );
  }
  const scope = formatId(call.id);
  const write = { action: `Microsoft.Compute/${call.id.kind}/write`, scope };
  call.permissions.checkLinked(call.principal, write, {
    action: "Microsoft.Compute/diskEncryptionSets/read",
    scope: setId,
  });
  return { type: set.type, diskEncryptionSetId: setId };
}

function readType(type: string | undefined): Encryption["type"] | undefined {
  if (type === undefined) return undefined;
  const known = encryptionTypes.find((one) => one.toLowerCase() === type.toLowerCase());
  if (known !== undefined) return known;
  throw invalidParameter(
    `The value '${type}' of parameter 'encryption.type' is not one of ${encryptionTypes.join(", ")}.`,
  );
}

function findSet(call: Call, setId: string): DiskEncryptionSet | undefined {
  const id = parseId(setId);
  return id?.kind === "diskEncryptionSets" ? call.state.encryptionSets.get(keyOf(id)) : undefined;
}

function setNotFound(setId: string): ArmError {
  return new ArmError(404, "NotFound", `Resource ${setId} is not found.`);
}
