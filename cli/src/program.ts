import { Command } from "commander";

import packageJson from "../package.json" with { type: "json" };
import { backupCommand } from "./commands/backup-command.ts";
import { checkCommand } from "./commands/check-command.ts";
import { debugCommand } from "./commands/debug-command.ts";
import { demoCommand } from "./commands/demo-command.ts";
import { installCommand } from "./commands/install-command.ts";
import { pluginCommand } from "./commands/plugin-command.ts";
import { upgradeCommand } from "./commands/upgrade-command.ts";
import { volumeCommand } from "./commands/volume-command.ts";
import type { CliContext } from "./context.ts";
import type { Outcome } from "./run-command.ts";

const help = `
Examples:
  flotilla backup create nightly --from manifests/ --bucket backups --config region=eu-central-1
  flotilla list backups --location bsl.yaml --credentials-file credentials
  flotilla verify backup nightly --location bsl.yaml --volume-location vsl.yaml -o json
  flotilla check --location bsl.yaml --volume-location vsl.yaml

Verb and noun may change places: "flotilla backup list" is "flotilla list backups".
Exit codes: 0 done, 1 something failed or is not sound, 2 wrong flags, 130 interrupted.`;

/** The whole command line. What a command came to is left in the outcome. */
export function createProgram(context: CliContext, outcome: Outcome): Command {
  const program = new Command("flotilla")
    .description("Runs Velero plugins by hand: back up, verify, restore, check.")
    .version(`flotilla ${packageJson.version}`, "-V, --version", "print the version")
    .addHelpText("after", help)
    .showHelpAfterError("(add --help for the commands)");
  const commands = [
    backupCommand,
    volumeCommand,
    pluginCommand,
    checkCommand,
    installCommand,
    upgradeCommand,
    debugCommand,
    demoCommand,
  ];
  for (const command of commands) program.addCommand(command(context, outcome));
  configure(program, context);
  return program;
}

/** Every command reports instead of ending the process, so that what was started is ended first. */
function configure(command: Command, context: CliContext): void {
  command.exitOverride();
  command.configureOutput({ writeOut: context.printOut, writeErr: context.printError });
  for (const child of command.commands) configure(child, context);
}
