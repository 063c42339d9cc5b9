import {
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
} from "@aws-sdk/client-ec2";
import type { EC2Client } from "@aws-sdk/client-ec2";
import { advice, failure, isKind, ok, PluginError, withoutEffect } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { trustFindings } from "@flotilla/sdk/network";
import { copyFindings } from "@flotilla/sdk/volumes";
import { volumeSnapshotterConfig } from "./config.ts";
import type { VolumeSnapshotterConfig } from "./config.ts";
import { codeOf } from "./errors.ts";
import type { Ec2Session, SendOptions } from "./ec2-session.ts";

type DryRun = (client: EC2Client, options: SendOptions) => Promise<unknown>;

// Well-formed ids that nobody has: a dry run looks at permissions before it looks for them.
const volumeId = "vol-0123456789abcdef0";
const snapshotId = "snap-0123456789abcdef0";

/** Tries each permission of a location by a dry run, which changes nothing. */
export async function* checkVolumeSnapshotter(
  config: VolumeSnapshotterConfig,
  session: Ec2Session,
  call: Call,
): AsyncGenerator<Finding> {
  yield* withoutEffect(volumeSnapshotterConfig, config);
  yield* trustFindings(config);
  const [harmless, changing] = [reads(), changes(session.region)];
  let isIgnored = false;
  for (const [permission, dryRun] of harmless) {
    const { finding, outcome } = await tryOut(session, permission, dryRun, call);
    yield finding;
    if (outcome === "unreachable") return;
    isIgnored ||= outcome === "done";
  }
  if (isIgnored) {
    // What ignores a dry run would create and delete for real.
    yield advice(
      "dry run",
      "the endpoint ignores it, so nothing that changes anything was tried",
      "check the endpoint",
    );
    return;
  }
  for (const [permission, dryRun] of changing) yield (await tryOut(session, permission, dryRun, call)).finding;
  for (const { region, options } of config.copyToRegions)
    yield* checkTarget(session.inRegion(region, options.endpoint), session.region, call);
  yield* copyFindings(config);
}

/** Tries each permission that copies need in one target. */
async function* checkTarget(target: Ec2Session, home: string, call: Call): AsyncGenerator<Finding> {
  for (const [permission, dryRun] of targetRequests(home)) {
    const { finding, outcome } = await tryOut(target, permission, dryRun, call);
    yield { ...finding, subject: `${finding.subject} in ${target.region}` };
    if (outcome === "unreachable") return;
  }
}

function targetRequests(SourceRegion: string): readonly (readonly [string, DryRun])[] {
  const DryRun = true;
  return [
    [
      "ec2:DescribeSnapshots",
      async (client, send) => await client.send(new DescribeSnapshotsCommand({ DryRun, OwnerIds: ["self"] }), send),
    ],
    [
      "ec2:CopySnapshot",
      async (client, send) =>
        await client.send(new CopySnapshotCommand({ DryRun, SourceRegion, SourceSnapshotId: snapshotId }), send),
    ],
    ["ec2:DeleteSnapshot", deleteNothing],
  ];
}

function reads(): readonly (readonly [string, DryRun])[] {
  const DryRun = true;
  return [
    ["ec2:DescribeVolumes", async (client, send) => await client.send(new DescribeVolumesCommand({ DryRun }), send)],
    [
      "ec2:DescribeSnapshots",
      async (client, send) => await client.send(new DescribeSnapshotsCommand({ DryRun, OwnerIds: ["self"] }), send),
    ],
  ];
}

function changes(region: string): readonly (readonly [string, DryRun])[] {
  const DryRun = true;
  return [
    [
      "ec2:CreateSnapshot",
      async (client, send) => await client.send(new CreateSnapshotCommand({ DryRun, VolumeId: volumeId }), send),
    ],
    [
      "ec2:CreateTags",
      async (client, send) =>
        await client.send(
          new CreateTagsCommand({
            DryRun,
            Resources: [snapshotId],
            Tags: [{ Key: "velero.io/backup", Value: "check" }],
          }),
          send,
        ),
    ],
    [
      "ec2:CreateVolume",
      async (client, send) =>
        await client.send(new CreateVolumeCommand({ DryRun, AvailabilityZone: `${region}a`, Size: 1 }), send),
    ],
    ["ec2:DeleteSnapshot", deleteNothing],
  ];
}

async function deleteNothing(client: EC2Client, send: SendOptions): Promise<unknown> {
  return await client.send(new DeleteSnapshotCommand({ DryRun: true, SnapshotId: snapshotId }), send);
}

interface Tried {
  readonly finding: Finding;
  /** `done`: carried out in spite of the dry run. */
  readonly outcome: "told" | "done" | "unreachable";
}

async function tryOut(session: Ec2Session, permission: string, dryRun: DryRun, call: Call): Promise<Tried> {
  try {
    await session.run({ action: `dry run of ${permission}`, permission }, call, dryRun);
    return { finding: ok(permission, "allowed"), outcome: "done" };
  } catch (error) {
    const code = error instanceof PluginError ? (codeOf(error.cause) ?? "") : "";
    // DryRunOperation is EC2's word for "would have succeeded"; an unknown id is only looked for after the permission.
    if (code === "DryRunOperation" || /^Invalid\w+\.NotFound$/.test(code))
      return { finding: ok(permission, "allowed, as far as a dry run tells"), outcome: "told" };
    return { finding: failure(permission, error), outcome: isKind(error, "denied") ? "told" : "unreachable" };
  }
}
