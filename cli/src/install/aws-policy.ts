import type { PermissionFacts } from "../plugin-facts/plugin-facts.ts";
import { bucketArn, objectsArn, partitionOf } from "./aws-arns.ts";
import type { InstallSettings } from "./install-settings.ts";

interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, unknown>>;
}

/** An IAM policy. */
export interface AwsPolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

/** The IAM policy that allows these permissions on the locations' buckets, volumes and keys, and nothing else. */
export function awsPolicy(settings: InstallSettings, permissions: readonly PermissionFacts[]): AwsPolicy {
  const { store, volumes } = settings;
  const partition = partitionOf(store.config["region"] ?? volumes?.config["region"] ?? "");
  const buckets = [
    { bucket: store.bucket, prefix: withoutSlashes(store.prefix) },
    ...copyTargets(store.config["copyTo"]),
  ];
  const named = (scope: string, part: string): readonly string[] =>
    permissions.filter((permission) => permission.scope === scope && permission.part === part).map(({ name }) => name);
  const keys = keysOf(settings);
  const statements: readonly Statement[] = [
    statement(
      "Bucket",
      named("bucket", "objects"),
      buckets.map(({ bucket }) => bucketArn(bucket, partition)),
    ),
    statement(
      "Objects",
      named("objects", "objects"),
      buckets.map(({ bucket, prefix }) => objectsArn(bucket, prefix, partition)),
    ),
    statement("Volumes", named("volumes", "volumes"), ["*"]),
    ...keyStatements("ObjectKeys", named("key", "objects"), keys.objects, partition),
    ...keyStatements("VolumeKeys", named("key", "volumes"), keys.volumes, partition),
  ];
  return { Version: "2012-10-17", Statement: statements.filter(({ Action }) => Action.length > 0) };
}

function statement(Sid: string, actions: readonly string[], resources: readonly string[]): Statement {
  const [only] = resources;
  return {
    Sid,
    Effect: "Allow",
    Action: actions,
    Resource: resources.length === 1 && only !== undefined ? only : [...new Set(resources)],
  };
}

/** A key by its id or ARN is a resource; an alias is none, but a condition on the keys. */
function keyStatements(
  sid: string,
  actions: readonly string[],
  keys: readonly string[],
  partition: string,
): readonly Statement[] {
  const aliases = keys.flatMap((key) => key.match(/alias\/.+$/)?.[0] ?? []);
  const arns = keys
    .filter((key) => !key.includes("alias/"))
    .map((key) => (key.startsWith("arn:") ? key : `arn:${partition}:kms:*:*:key/${key}`));
  return [
    ...(arns.length === 0 ? [] : [statement(sid, actions, arns)]),
    ...(aliases.length === 0
      ? []
      : [
          {
            ...statement(`${sid}ByAlias`, actions, ["*"]),
            Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": [...new Set(aliases)] } },
          },
        ]),
  ];
}

function keysOf({ store, volumes }: InstallSettings): {
  readonly objects: readonly string[];
  readonly volumes: readonly string[];
} {
  const own = (key: string | undefined): readonly string[] => (key === undefined || key === "" ? [] : [key]);
  return {
    objects: [...own(store.config["kmsKeyId"]), ...keysInQueries(store.config["copyTo"])],
    volumes: [...own(volumes?.config["ebsKmsKeyId"]), ...keysInQueries(volumes?.config["copyToRegions"])],
  };
}

function keysInQueries(value = ""): readonly string[] {
  return [...value.matchAll(/[?&]kmsKeyId=([^&\s,]+)/g)].map(([, key = ""]) => decodeURIComponent(key));
}

function copyTargets(copyTo = ""): readonly { readonly bucket: string; readonly prefix: string }[] {
  return [...copyTo.matchAll(/s3:\/\/([^/?\s]+)(?:\/([^?\s]*))?/g)].map(([, bucket = "", prefix = ""]) => ({
    bucket,
    prefix: withoutSlashes(prefix),
  }));
}

/** As the server reads a prefix. */
function withoutSlashes(prefix: string): string {
  return prefix.replaceAll(/^\/+|\/+$/g, "");
}
