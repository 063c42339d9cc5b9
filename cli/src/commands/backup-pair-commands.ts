import { setTimeout as delay } from "node:timers/promises";

import { Command, Option } from "commander";

import { runOptions } from "../common-options.ts";
import type { CliContext } from "../context.ts";
import type { Reading } from "../copy/compare-object.ts";
import { readSelection } from "../copy/select-backups.ts";
import type { SelectionFlags } from "../copy/select-backups.ts";
import { openPair, sidesOptions } from "../location-sides.ts";
import type { SidesFlags } from "../location-sides.ts";
import { parseCount } from "../parse-count.ts";
import { parseInterval } from "../parse-duration.ts";
import { exitCodes, runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { RunFlags } from "../session.ts";
import { compareBackups, reportCompared } from "./backup-compare.ts";
import { copyBackups, reportCopied } from "./backup-copy.ts";

const copyHelp = `
Copies the objects below backups/NAME/, and nothing else. Not copied: restores/, the data of volumes (the kopia/ and
restic/ folders of the file-system backup and the data mover), and native snapshots, which stay where they are: a
restore elsewhere needs copies of its own of those.

The bytes are streamed, without a file in between, and read back at the target. velero-backup.json comes last:
a server that syncs there sees a backup whole, or not at all. What is there already and the same is left: after an
interruption run it again. With --watch, -o json prints a document for each round.

Examples:
  flotilla backup copy nightly-1 --from aws.yaml --to azure.yaml --from-credentials-file aws.ini --to-credentials-file azure.env
  flotilla backup copy --all --from aws.yaml --to gcp.yaml                        as a CronJob: only what is new is copied
  flotilla backup copy --newest 7 --watch --interval 15m --from a.yaml --to b.yaml  as a Deployment
  flotilla backup copy nightly-1 --from aws.yaml --to aws-copy.yaml                mends what a location's copyTo missed`;

const compareHelp = `
Reads bytes only where the checksums that the stores recorded cannot be compared, and then on one side.
Exit code 0: no difference; 1: a difference, or something could not be read.

Examples:
  flotilla backup compare nightly-1 --from aws.yaml --to azure.yaml
  flotilla backup compare --all --ignore-extra --read never --from aws.yaml --to azure.yaml -o json
  flotilla backup compare --all --read always --from aws.yaml --to azure.yaml     finds what has rotted, too`;

interface PairFlags extends RunFlags, SidesFlags, SelectionFlags {
  readonly parallel: number;
}

interface CopyFlags extends PairFlags {
  readonly overwrite: boolean;
  readonly recheck: boolean;
  readonly watch: boolean;
  readonly interval: string;
}

interface CompareFlags extends PairFlags {
  readonly read: Reading;
  readonly ignoreExtra: boolean;
}

/** `flotilla backup copy`. */
export function copyCommand(context: CliContext, outcome: Outcome): Command {
  return pairCommand("copy", "Copies backups to another location, of the same cloud or another.")
    .option("--overwrite", "replace another backup of the same name, and remove what is not of this one", false)
    .option("--recheck", "read complete copies again, and mend what has rotted; always so with names", false)
    .option("--watch", "go on: look again after each interval, until interrupted", false)
    .option("--interval <duration>", "how long --watch waits between its rounds", "10m")
    .addHelpText("after", copyHelp)
    .action(async (names: string[], flags: CopyFlags) => {
      const round = async (): Promise<void> =>
        await runCommand(context, outcome, flags, async (session) => {
          const selection = readSelection(names, flags);
          parseInterval(flags.interval, "--interval");
          const stores = await openPair(session, flags, { isWritten: true });
          const { parallel, overwrite: overwrites, recheck: rechecks } = flags;
          return reportCopied(await copyBackups(session, stores, { selection, parallel, overwrites, rechecks }));
        });
      await round();
      while (flags.watch && outcome.exitCode !== exitCodes.usage && (await isNextRound(context, outcome, flags))) {
        await round();
      }
    });
}

/** `flotilla backup compare`. */
export function compareCommand(context: CliContext, outcome: Outcome): Command {
  return pairCommand("compare", "Tells what differs between the backups of two locations.")
    .addOption(
      new Option("--read <when>", "whether to read objects: where checksums cannot be compared, or else")
        .choices(["never", "needed", "always"])
        .default("needed"),
    )
    .option("--ignore-extra", "let backups that only --to has make no difference", false)
    .addHelpText("after", compareHelp)
    .action(async (names: string[], flags: CompareFlags) => {
      await runCommand(context, outcome, flags, async (session) => {
        const selection = readSelection(names, flags);
        const stores = await openPair(session, flags, { isWritten: false });
        const { parallel, read: reading, ignoreExtra: ignoresExtra } = flags;
        return reportCompared(await compareBackups(session, stores, { selection, parallel, reading, ignoresExtra }));
      });
    });
}

function pairCommand(name: string, description: string): Command {
  const command = new Command(name).description(description).showHelpAfterError("(add --help for the flags)");
  command.argument("[names...]", "the backups' names");
  for (const option of [...sidesOptions(), ...runOptions()]) command.addOption(option);
  return command
    .option("--all", "all backups of the location", false)
    .option("--newest <count>", "the newest so many", parseCount)
    .option("--parallel <count>", "how many objects are on their way at once", parseCount, 4);
}

/** Waits for the next round; false where the wait was interrupted. */
async function isNextRound(context: CliContext, outcome: Outcome, flags: CopyFlags): Promise<boolean> {
  try {
    await delay(parseInterval(flags.interval, "--interval"), undefined, { signal: context.signal });
    return true;
  } catch {
    // The only thing that ends the wait early is the user.
    outcome.exitCode = exitCodes.interrupted;
    return false;
  }
}
