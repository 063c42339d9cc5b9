import { Command, Option } from "commander";

import { logThresholds } from "./session.ts";

/** A command with the flags that all commands have. */
export function commandWithCommonOptions(name: string, description: string): Command {
  const command = new Command(name).description(description).showHelpAfterError("(add --help for the flags)");
  for (const option of [...runOptions(), ...locationOptions()]) command.addOption(option);
  return command;
}

/** The flags that say which executables are run and what is printed. */
export function runOptions(): readonly Option[] {
  return [
    repeatable("--plugin <path>", "a plugin executable (default: the ones built in this checkout)"),
    new Option("--plugin-dir <dir>", "a folder of plugin executables, as the server's /plugins"),
    new Option("-o, --output <form>", "how the result is printed").choices(["table", "json"]).default("table"),
    new Option("--log-level <level>", "which of the plugin's log lines to show").choices(logThresholds).default("warn"),
    new Option("--quiet", "print the result and errors only").default(false),
  ];
}

/** The flags that say where backups and snapshots are. */
export function locationOptions(): readonly Option[] {
  return [
    new Option("--provider <name>", "the provider, as in spec.provider (default: the location's, else aws)"),
    new Option("--bucket <name>", "the bucket (container) that holds the backups"),
    new Option("--prefix <prefix>", "the prefix below which the backups are"),
    repeatable("--config <key=value>", "a key of the BackupStorageLocation's spec.config"),
    new Option("--credentials-file <file>", "the credentials, for objects and volumes"),
    new Option("--ca-cert <file>", "a PEM file of CAs to trust beside the system's"),
    new Option("--location <file>", "a BackupStorageLocation in YAML"),
    new Option("--volume-location <file>", "a VolumeSnapshotLocation in YAML"),
    repeatable("--volume-config <key=value>", "a key of the VolumeSnapshotLocation's spec.config"),
  ];
}

/** A flag that may be given several times. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, `${description}; may be repeated`)
    .argParser((value: string, former: readonly string[]) => [...former, value])
    .default([], "none");
}
