import { resolve } from "node:path";

import type { Command } from "commander";

import { commandWithCommonOptions } from "../common-options.ts";
import type { CliContext } from "../context.ts";
import { readSelection } from "../copy/select-backups.ts";
import type { SelectionFlags } from "../copy/select-backups.ts";
import { parseCount } from "../parse-count.ts";
import { parseDataSubset } from "../parse-data-subset.ts";
import { parseDuration } from "../parse-duration.ts";
import { runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { CommonFlags } from "../session.ts";
import { createBackup, reportCreated } from "./backup-create.ts";
import { deleteBackup, reportDeleted } from "./backup-delete.ts";
import { describeBackup, reportDescribed } from "./backup-describe.ts";
import { downloadBackup, reportDownloaded } from "./backup-download.ts";
import { listBackups, reportListed } from "./backup-list.ts";
import { reportRestored, restoreBackup } from "./backup-restore.ts";
import { compareCommand, copyCommand } from "./backup-pair-commands.ts";
import { nounCommand } from "./noun-command.ts";
import { verifySelected } from "./verify-selected.ts";

/** `flotilla backup …`. */
export function backupCommand(context: CliContext, outcome: Outcome): Command {
  const subcommands = [create, list, describe, verify, download, restore, copyCommand, compareCommand, remove];
  const built = subcommands.map((subcommand) => subcommand(context, outcome));
  return nounCommand("backup", "Makes, verifies, copies and restores backups in Velero's own layout.", built);
}

function create(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("create", "Backs up a folder of manifests, or stores a Velero tarball.")
    .argument("<name>", "the backup's name")
    .requiredOption("--from <path>", "a folder of Kubernetes manifests, or a Velero backup tarball")
    .option("--ttl <duration>", "how long the server keeps it", "720h")
    .addHelpText(
      "after",
      "\nExample:\n  flotilla backup create nightly --from manifests/ --location bsl.yaml --volume-location vsl.yaml",
    )
    .action(async (name: string, flags: CommonFlags & { from: string; ttl: string }) => {
      await runCommand(context, outcome, flags, async (session) => {
        const ttlHours = Math.ceil(parseDuration(flags.ttl, "--ttl") / 3_600_000);
        const store = await session.openWritableStore();
        const volumes = await session.openVolumes();
        const from = resolve(context.workingDirectory, flags.from);
        return reportCreated(await createBackup(session, store, volumes, { name, from, ttlHours }));
      });
    });
}

function list(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("list", "Lists the backups of a location.")
    .alias("get")
    .argument("[names...]", "only these")
    .addHelpText("after", "\nExample:\n  flotilla list backups --bucket backups --config region=eu-central-1")
    .action(async (names: string[], flags: CommonFlags) => {
      await runCommand(context, outcome, flags, async (session) =>
        reportListed(await listBackups(session, await session.openStore(), names)),
      );
    });
}

function describe(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("describe", "Tells a backup's objects, sizes, checksums and snapshots.")
    .argument("<name>", "the backup's name")
    .addHelpText("after", "\nExample:\n  flotilla describe backup nightly --location bsl.yaml -o json")
    .action(async (name: string, flags: CommonFlags) => {
      await runCommand(context, outcome, flags, async (session) =>
        reportDescribed(await describeBackup(session, await session.openStore(), await session.openVolumes(), name)),
      );
    });
}

interface VerifyFlags {
  readonly wait: string;
  readonly readDataSubset?: string;
}

function verify(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("verify", "Reads backups back, byte by byte, and asks for their snapshots.")
    .argument("[names...]", "the backups' names")
    .option("--all", "all backups of the location", false)
    .option("--newest <count>", "the newest so many", parseCount)
    .option("--wait <duration>", "how long to wait for snapshots that are pending", "0s")
    .option(
      "--read-data-subset <part>",
      "also read back so much of a restic repository: 5%, 500M, 1/10",
      parseDataSubset,
    )
    .addHelpText(
      "after",
      `
Judges the location itself: none of its copies (copyTo) answers for it, nor is looked at. Verify each as a location.
Snapshots are asked for where a volume location is given; volumes that the server keeps in a repository of its own
(file-system backup, data mover) are named, and not read. --newest passes over what the server began within a day and
is not done with.

Examples:
  flotilla verify backup nightly --location bsl.yaml --volume-location vsl.yaml --wait 10m
  flotilla backup verify --newest 1 --location bsl.yaml      as a CronJob: fails where the newest is not sound
  flotilla backup verify --newest 1 --read-data-subset 5% --location bsl.yaml      and where the repository is damaged`,
    )
    .action(async (names: string[], flags: CommonFlags & SelectionFlags & VerifyFlags) => {
      await runCommand(context, outcome, flags, async (session) => {
        const waitMs = parseDuration(flags.wait, "--wait");
        const selection = readSelection(names, flags);
        const store = await session.openStoreItself();
        const volumes = await session.openVolumes();
        return await verifySelected(
          session,
          { store, volumes },
          { selection, waitMs, dataSubset: flags.readDataSubset },
        );
      });
    });
}

function download(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("download", "Downloads a backup's objects into a new folder.")
    .argument("<name>", "the backup's name")
    .option("--to <dir>", "the folder, which must not be there yet (default: the backup's name)")
    .addHelpText(
      "after",
      "\nThe folder appears once every object has arrived whole. Exit code 1, too, where the backup lacks what it must have.\n" +
        "\nExample:\n  flotilla download backup nightly --to /srv/nightly --location bsl.yaml",
    )
    .action(async (name: string, flags: CommonFlags & { to?: string }) => {
      await runCommand(context, outcome, flags, async (session) => {
        const to = resolve(context.workingDirectory, flags.to ?? name);
        return reportDownloaded(await downloadBackup(session, await session.openStore(), { name, to }));
      });
    });
}

function restore(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("restore", "Extracts a backup's contents into a new folder.")
    .argument("<name>", "the backup's name")
    .requiredOption("--to <dir>", "the folder, which must not be there yet")
    .option("--restore-volumes", "make volumes from the snapshots, and let the PersistentVolumes point at them", false)
    .addHelpText(
      "after",
      "\nExample:\n  flotilla restore backup nightly --to restored/ --restore-volumes --location bsl.yaml --volume-location vsl.yaml",
    )
    .action(async (name: string, flags: CommonFlags & { to: string; restoreVolumes: boolean }) => {
      await runCommand(context, outcome, flags, async (session) => {
        const to = resolve(context.workingDirectory, flags.to);
        const store = await session.openStore();
        const volumes = flags.restoreVolumes ? await session.openRequiredVolumes() : undefined;
        return reportRestored(await restoreBackup(session, store, volumes, { name, to }));
      });
    });
}

function remove(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("delete", "Deletes a backup: its snapshots, then its objects.")
    .argument("<name>", "the backup's name")
    .option("--yes", "do it; without, only what would be deleted is told", false)
    .option("--keep-snapshots", "leave the snapshots of volumes alone", false)
    .addHelpText(
      "after",
      "\nExample:\n  flotilla delete backup nightly --yes --location bsl.yaml --volume-location vsl.yaml",
    )
    .action(async (name: string, flags: CommonFlags & { yes: boolean; keepSnapshots: boolean }) => {
      await runCommand(context, outcome, flags, async (session) => {
        const store = await session.openWritableStore();
        const volumes = flags.keepSnapshots ? undefined : await session.openVolumes();
        const request = { name, isConfirmed: flags.yes, keepsSnapshots: flags.keepSnapshots };
        return reportDeleted(await deleteBackup(session, store, volumes, request));
      });
    });
}
