import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Finding, ObjectDescription, ObjectRef, SnapshotDescription } from "@flotilla/sdk/plugin";
import { PluginError } from "@flotilla/sdk/plugin";
import { Finding_Severity, Inspection } from "@flotilla/sdk/wire";
import type { CheckDataRequestSchema, Finding as WireFinding } from "@flotilla/sdk/wire";
import { status } from "@grpc/grpc-js";
import type { Client } from "@grpc/grpc-js";

import { isServiceError } from "./status-error.ts";
import { serverStream, unary } from "./wire-call.ts";
import type { ClientCall } from "./wire-call.ts";

const methods = Inspection.method;

const severities: Readonly<Partial<Record<Finding_Severity, Finding["severity"]>>> = {
  [Finding_Severity.OK]: "ok",
  [Finding_Severity.ADVICE]: "advice",
  [Finding_Severity.FAILURE]: "failure",
};

/** One object as the store describes it (flotilla.v1). */
export async function describeObject(
  client: Client,
  { plugin, object }: { readonly plugin: string; readonly object: ObjectRef },
  call?: ClientCall,
): Promise<ObjectDescription> {
  const request = { plugin, bucket: object.bucket, key: object.key };
  const answer = await asked(plugin, "describe objects", unary(client, methods.describeObject, request, call));
  const { checksum } = answer;
  return {
    sizeBytes: answer.sizeBytes,
    checksum: checksum && {
      algorithm: checksum.algorithm,
      value: checksum.value,
      scope: checksum.composite ? "composite" : "full-object",
    },
    version: answer.version,
    lastModified: optionalDate(answer.lastModified),
    hold: answer.hold,
  };
}

/** One snapshot as the cloud describes it (flotilla.v1). */
export async function describeSnapshot(
  client: Client,
  request: { readonly plugin: string; readonly snapshotId: string },
  call?: ClientCall,
): Promise<SnapshotDescription> {
  const question = unary(client, methods.describeSnapshot, request, call);
  const answer = await asked(request.plugin, "describe snapshots", question);
  const { snapshotId, volumeId, state, progressPercent, volumeSizeBytes, encrypted, tags } = answer;
  const startedAt = optionalDate(answer.startedAt);
  return { snapshotId, volumeId, state, progressPercent, volumeSizeBytes, encrypted, startedAt, tags };
}

/** The findings of an opened location's self-test (flotilla.v1). */
export async function* checkLocation(
  client: Client,
  request: { readonly plugin: string; readonly kind: string; readonly bucket?: string; readonly prefix?: string },
  call?: ClientCall,
): AsyncGenerator<Finding, void, undefined> {
  try {
    yield* findings(serverStream(client, methods.check, request, call));
  } catch (error) {
    throw translated(request.plugin, "check a location", error);
  }
}

/** The findings of reading back a part of what the store itself keeps (flotilla.v1). */
export async function* checkData(
  client: Client,
  request: MessageInitShape<typeof CheckDataRequestSchema> & { readonly plugin: string },
  call?: ClientCall,
): AsyncGenerator<Finding, void, undefined> {
  try {
    yield* findings(serverStream(client, methods.checkData, request, call));
  } catch (error) {
    throw translated(request.plugin, "read back data of its own", error);
  }
}

async function* findings(answers: AsyncIterable<WireFinding>): AsyncGenerator<Finding, void, undefined> {
  for await (const { severity, subject, detail, remedy } of answers) {
    // A severity of a later version is shown as a failure rather than lost.
    yield { severity: severities[severity] ?? "failure", subject, detail, remedy };
  }
}

async function asked<T>(plugin: string, ability: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw translated(plugin, ability, error);
  }
}

function translated(plugin: string, ability: string, error: unknown): unknown {
  if (!isServiceError(error) || error.code !== status.UNIMPLEMENTED) return error;
  return new PluginError(`plugin ${plugin} cannot ${ability}`, { kind: "unsupported", cause: error });
}

function optionalDate(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp === undefined ? undefined : timestampDate(timestamp);
}
