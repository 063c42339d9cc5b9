import type { Command } from "commander";

import { commandWithCommonOptions } from "../common-options.ts";
import type { CliContext } from "../context.ts";
import { runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { CommonFlags } from "../session.ts";
import { nounCommand } from "./noun-command.ts";
import { listPlugins } from "./plugin-list.ts";

/** `flotilla plugin …`. */
export function pluginCommand(context: CliContext, outcome: Outcome): Command {
  const list = commandWithCommonOptions("list", "Lists what the executables register.")
    .alias("get")
    .addHelpText("after", "\nExample:\n  flotilla list plugins --plugin-dir /plugins")
    .action(async (flags: CommonFlags) => {
      await runCommand(context, outcome, flags, listPlugins);
    });
  return nounCommand("plugin", "Looks at plugin executables.", [list]);
}
