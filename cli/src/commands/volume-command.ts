import type { Command } from "commander";

import { UsageError } from "../cli-error.ts";
import { commandWithCommonOptions, repeatable } from "../common-options.ts";
import type { CliContext } from "../context.ts";
import { parsePairs } from "../location.ts";
import { runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { CommonFlags } from "../session.ts";
import { resticProvider } from "../velero-repository.ts";
import { nounCommand } from "./noun-command.ts";
import { copyCommand, pruneCommand } from "./volume-copy-command.ts";
import { fileRestoreOptions, restoreFiles } from "./volume-restore-files.ts";
import type { FileRestoreFlags } from "./volume-restore-files.ts";
import { deleteSnapshot, restoreVolume, showVolume, snapshotVolume } from "./volume.ts";

/** `flotilla volume …`. */
export function volumeCommand(context: CliContext, outcome: Outcome): Command {
  const subcommands = [snapshot, restore, info, remove, copyCommand, pruneCommand];
  const built = subcommands.map((subcommand) => subcommand(context, outcome));
  return nounCommand(
    "volume",
    "Snapshots single volumes, makes volumes from snapshots, copies snapshots to other regions.",
    built,
  );
}

function snapshot(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("snapshot", "Snapshots a volume.")
    .argument("<volume>", "the volume's id")
    .option("--zone <zone>", "its availability zone", "")
    .addOption(repeatable("--tag <key=value>", "a tag for the snapshot"))
    .addHelpText(
      "after",
      "\nExample:\n  flotilla snapshot volume vol-0123 --zone eu-central-1a --volume-config region=eu-central-1",
    )
    .action(async (volumeId: string, flags: CommonFlags & { zone: string; tag: string[] }) => {
      await runCommand(context, outcome, flags, async (session) => {
        const tags = parsePairs(flags.tag, "--tag");
        return await snapshotVolume(session, await session.openRequiredVolumes(), { volumeId, zone: flags.zone, tags });
      });
    });
}

interface RestoreFlags extends Omit<FileRestoreFlags, "to"> {
  readonly zone?: string;
  readonly type: string;
  readonly iops?: string;
  readonly to?: string;
}

const restoreExamples = `
Examples:
  flotilla restore volume snap-0123 --zone eu-central-1a --type gp3 --volume-config region=eu-central-1
  flotilla restore volume volume-20260301t020000z-0123456789ab --volume-location restic.yaml
  flotilla restore volume --to ./files --location bsl.yaml --namespace shop --backup nightly --volume data`;

function restore(context: CliContext, outcome: Outcome): Command {
  const command = commandWithCommonOptions(
    "restore",
    "Makes a volume from a snapshot, or a folder from files of Velero's.",
  )
    .argument("[snapshot]", "the snapshot's id")
    .option("--zone <zone>", "the availability zone of the new volume; folders have none")
    .option("--type <type>", "its type, for example gp3", "")
    .option("--iops <number>", "its provisioned IOPS")
    .addHelpText("after", restoreExamples)
    .action(async (snapshotId: string | undefined, flags: RestoreFlags) => {
      await runCommand(context, outcome, flags, async (session) => {
        const { zone, type, to } = flags;
        if (to !== undefined) return await restoreFiles(session, { ...flags, to }, snapshotId);
        if (snapshotId === undefined) throw new UsageError("name a snapshot, or add --to FOLDER to restore files");
        const volumes = await session.openRequiredVolumes();
        if (zone === undefined && volumes.location.provider !== resticProvider)
          throw new UsageError("add --zone ZONE: the availability zone of the new volume");
        const iops = flags.iops === undefined ? {} : { iops: parseIops(flags.iops) };
        return await restoreVolume(session, volumes, { snapshotId, zone: zone ?? "", type, ...iops });
      });
    });
  for (const option of fileRestoreOptions()) command.addOption(option);
  return command;
}

function info(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("info", "Tells a volume's type and IOPS, or a snapshot's state.")
    .alias("describe")
    .alias("get")
    .argument("<id>", "the id of a volume or a snapshot")
    .option("--zone <zone>", "the volume's availability zone", "")
    .addHelpText("after", "\nExample:\n  flotilla volume info snap-0123 --volume-config region=eu-central-1")
    .action(async (id: string, flags: CommonFlags & { zone: string }) => {
      await runCommand(context, outcome, flags, async (session) =>
        showVolume(session, await session.openRequiredVolumes(), { id, zone: flags.zone }),
      );
    });
}

function remove(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("delete", "Deletes a snapshot; volumes themselves are never deleted.")
    .argument("<snapshot>", "the snapshot's id")
    .addHelpText("after", "\nExample:\n  flotilla volume delete snap-0123 --volume-config region=eu-central-1")
    .action(async (snapshotId: string, flags: CommonFlags) => {
      await runCommand(context, outcome, flags, async (session) =>
        deleteSnapshot(session, await session.openRequiredVolumes(), snapshotId),
      );
    });
}

function parseIops(text: string): bigint {
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new UsageError(`--iops ${text}: give a whole number`);
}
