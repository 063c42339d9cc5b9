import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";

import { dataSubsetForms, isDataSubset, PluginError } from "../plugin/index.ts";
import type { Call, DataCheck, Finding, ObjectDescription, SelfCheck, SnapshotDescription } from "../plugin/index.ts";
import { Finding_Severity, Inspection } from "../wire/index.ts";
import type {
  CheckDataRequest,
  CheckRequest,
  DescribeObjectResponseSchema,
  DescribeSnapshotResponseSchema,
} from "../wire/index.ts";
import { serverStreamHandler, unaryHandler } from "./handlers.ts";
import type { Handler, ServiceContext } from "./handlers.ts";
import type { ObjectLocations } from "./object-locations.ts";
import { requireKey } from "./object-ref.ts";
import type { SnapshotLocations } from "./snapshot-locations.ts";

const severities: Readonly<Record<Finding["severity"], Finding_Severity>> = {
  ok: Finding_Severity.OK,
  advice: Finding_Severity.ADVICE,
  failure: Finding_Severity.FAILURE,
};

/** flotilla.v1: what the server's protocol cannot say, as far as the opened locations can. */
export function inspectionHandlers(
  objects: ObjectLocations,
  snapshots: SnapshotLocations,
  context: ServiceContext,
): readonly Handler[] {
  const { method } = Inspection;
  return [
    unaryHandler(method.describeObject, context, async ({ plugin, bucket, key }, call) => {
      const object = requireKey({ bucket, key });
      return await objects.find(plugin, bucket, key).use(async (store) => {
        if (store.describeObject === undefined) throw cannot(plugin, "describe objects");
        return objectResponse(await store.describeObject(object, call));
      });
    }),
    unaryHandler(method.describeSnapshot, context, async ({ plugin, snapshotId }, call) => {
      return await snapshots.whereReadable(plugin, snapshotId, call, async (snapshotter, found) => {
        if (snapshotter.describeSnapshot === undefined) throw cannot(plugin, "describe snapshots");
        return snapshotResponse(await snapshotter.describeSnapshot(found, call));
      });
    }),
    serverStreamHandler(method.check, context, async function* (request, call) {
      const checked = await subjectOf(request, objects, snapshots);
      for await (const finding of findingsOf(request.plugin, checked, call))
        yield { ...finding, severity: severities[finding.severity] };
    }),
    serverStreamHandler(method.checkData, context, async function* (request, call) {
      const checked = await subjectOf(request, objects, snapshots);
      for await (const finding of dataFindingsOf(request, checked, call))
        yield { ...finding, severity: severities[finding.severity] };
    }),
  ];
}

async function subjectOf(
  { kind, plugin, bucket, prefix }: Pick<CheckRequest, "kind" | "plugin" | "bucket" | "prefix">,
  objects: ObjectLocations,
  snapshots: SnapshotLocations,
): Promise<Partial<SelfCheck & DataCheck>> {
  switch (kind) {
    case "ObjectStore":
      return await objects.find(plugin, bucket, prefix).use(async (store) => await Promise.resolve(store));
    case "VolumeSnapshotter":
      return await snapshots.newest(plugin, async (snapshotter) => await Promise.resolve(snapshotter));
    default:
      throw new PluginError(`check: the kind must be ObjectStore or VolumeSnapshotter, not "${kind}"`, {
        kind: "invalid-argument",
      });
  }
}

function findingsOf(plugin: string, checked: Partial<SelfCheck>, call: Call): AsyncIterable<Finding> {
  if (checked.check === undefined) throw cannot(plugin, "check itself");
  return checked.check(call);
}

function dataFindingsOf(
  { plugin, readDataSubset }: CheckDataRequest,
  checked: Partial<DataCheck>,
  call: Call,
): AsyncIterable<Finding> {
  if (checked.checkData === undefined) throw cannot(plugin, "read back data of its own");
  if (isDataSubset(readDataSubset)) return checked.checkData(readDataSubset, call);
  throw new PluginError(`read data back: "${readDataSubset}" does not say how much; give ${dataSubsetForms}`, {
    kind: "invalid-argument",
  });
}

function objectResponse(description: ObjectDescription): MessageInitShape<typeof DescribeObjectResponseSchema> {
  const { checksum, lastModified } = description;
  return {
    sizeBytes: description.sizeBytes,
    version: description.version,
    hold: description.hold,
    ...(checksum === undefined
      ? {}
      : {
          checksum: {
            algorithm: checksum.algorithm,
            value: checksum.value,
            composite: checksum.scope === "composite",
          },
        }),
    ...(lastModified === undefined ? {} : { lastModified: timestampFromDate(lastModified) }),
  };
}

function snapshotResponse(description: SnapshotDescription): MessageInitShape<typeof DescribeSnapshotResponseSchema> {
  const { startedAt, ...rest } = description;
  return {
    ...rest,
    tags: { ...description.tags },
    ...(startedAt === undefined ? {} : { startedAt: timestampFromDate(startedAt) }),
  };
}

function cannot(plugin: string, what: string): PluginError {
  return new PluginError(`the plugin ${plugin} cannot ${what}`, { kind: "unsupported" });
}
