import type { Command } from "commander";

import { UsageError } from "../cli-error.ts";
import { commandWithCommonOptions } from "../common-options.ts";
import type { CliContext } from "../context.ts";
import { parseDuration, parseInterval } from "../parse-duration.ts";
import { runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { CommonFlags } from "../session.ts";
import { reportCopies, reportPruned } from "./volume-copy-report.ts";
import { copySnapshots } from "./volume-copy.ts";
import type { CopyRequest } from "./volume-copy.ts";
import { pruneCopies } from "./volume-prune.ts";

interface CopyFlags extends CommonFlags {
  readonly all: boolean;
  readonly backup?: string;
  readonly watch: boolean;
  readonly interval: string;
  readonly timeout?: string;
  readonly parallel?: string;
}

/** `flotilla volume copy`. */
export function copyCommand(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions(
    "copy",
    "Copies snapshots to the regions of the location's key copyToRegions, or restic's to its copyToRepository.",
  )
    .argument("[snapshots...]", "the snapshots' ids")
    .option("--all", "all snapshots that backups made", false)
    .option("--backup <name>", "all snapshots of one backup")
    .option("--watch", "stay until every copy is complete, or its target has not answered for ten minutes", false)
    .option("--interval <duration>", "how often to look while watching", "15s")
    .option("--timeout <duration>", "how long to watch at most (default: until done)")
    .option("--parallel <number>", "copies of a region at once (default: as many as the cloud takes)")
    .addHelpText(
      "after",
      "\nMay be interrupted and run again at any time: copies are found by their tags.\n" +
        "\nExample:\n  flotilla volume copy --all --watch --volume-location vsl.yaml",
    )
    .action(async (snapshotIds: string[], flags: CopyFlags) => {
      await runCommand(context, outcome, flags, async (session) => {
        const request = requestOf(snapshotIds, flags);
        const result = await copySnapshots(session, await session.openRequiredVolumes(), request);
        if (request.backup !== undefined && result.statuses.length === 0)
          throw new UsageError(`no snapshot of a backup ${request.backup} is in the location's region`);
        return reportCopies(result);
      });
    });
}

/** `flotilla volume prune`. */
export function pruneCommand(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions("prune", "Finds copies in other regions whose snapshot is gone, and deletes them.")
    .option("--delete", "delete them; otherwise they are only shown", false)
    .option("--even-most", "delete them also where most of the snapshots that have copies are gone", false)
    .addHelpText("after", pruneHelp)
    .action(async (flags: CommonFlags & { readonly delete: boolean; readonly evenMost: boolean }) => {
      await runCommand(context, outcome, flags, async (session) => {
        const request = { isDeleting: flags.delete, evenMost: flags.evenMost };
        return reportPruned(await pruneCopies(session, await session.openRequiredVolumes(), request), flags.delete);
      });
    });
}

const pruneHelp = `
A snapshot counts as gone only where its region answers and neither lists it nor finds it by its id. Where more than
half of the snapshots that have copies are gone, nothing is deleted without --even-most: a region, an account or a
repository that was lost or emptied looks like that, and its copies are what is left.

Examples:
  flotilla volume prune --volume-location vsl.yaml             shows what would be deleted
  flotilla volume prune --volume-location vsl.yaml --delete`;

function requestOf(snapshotIds: readonly string[], flags: CopyFlags): CopyRequest {
  const chosen = [snapshotIds.length > 0, flags.all, flags.backup !== undefined].filter(Boolean).length;
  if (chosen !== 1) throw new UsageError("say which snapshots: their ids, --backup NAME or --all");
  return {
    snapshotIds: [...new Set(snapshotIds)],
    backup: flags.backup,
    isWatching: flags.watch,
    intervalMs: parseInterval(flags.interval, "--interval"),
    timeoutMs: flags.timeout === undefined ? undefined : parseDuration(flags.timeout, "--timeout"),
    parallel: flags.parallel === undefined ? undefined : parseParallel(flags.parallel),
  };
}

function parseParallel(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError(`--parallel ${text}: give a whole number from 1`);
}
