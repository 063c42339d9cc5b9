import type { Command } from "commander";

import { commandWithCommonOptions } from "../common-options.ts";
import type { CliContext } from "../context.ts";
import { parseInterval } from "../parse-duration.ts";
import { runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { CommonFlags } from "../session.ts";
import { checkLocations } from "./check.ts";

/** `flotilla check`. */
export function checkCommand(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions(
    "check",
    "Tries each permission that the given locations need, one by one, and more that backups need.",
  )
    .option("--velero-version <version>", "the server's version, or its image: whether it is supported")
    .option("--timeout <duration>", "how long to wait for each answer", "2m")
    .addHelpText(
      "after",
      "\nTo try its permissions it writes an object below metadata/ and deletes it again, but for a ReadOnly location.\n" +
        "Exit code 1: something fails, or the plugin is one that cannot check itself.\n" +
        "\nExample:\n  flotilla check --location bsl.yaml --volume-location vsl.yaml --credentials-file credentials --velero-version v1.18.3",
    )
    .action(async (flags: CommonFlags & { veleroVersion?: string; timeout: string }) => {
      const store = flags.bucket !== undefined || flags.location !== undefined;
      const volumes = flags.volumeConfig.length > 0 || flags.volumeLocation !== undefined;
      await runCommand(context, outcome, flags, async (session) =>
        checkLocations(session, {
          store,
          volumes,
          veleroVersion: flags.veleroVersion,
          timeoutMs: parseInterval(flags.timeout, "--timeout"),
        }),
      );
    });
}
