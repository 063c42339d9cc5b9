import { Command, Option } from "commander";

import { locationOptions, runOptions } from "../common-options.ts";
import type { CliContext } from "../context.ts";
import { readSettings } from "../install/install-settings.ts";
import type { InstallFlags } from "../install/install-settings.ts";
import { policyParts } from "../install/needed-permissions.ts";
import type { PolicyPart } from "../install/needed-permissions.ts";
import { installForms, renderInstall } from "../install/render-install.ts";
import type { InstallForm } from "../install/render-install.ts";
import { runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { RunFlags } from "../session.ts";

const examples = `
Examples:
  flotilla install --provider aws --bucket backups --config region=eu-central-1 --credentials-file ./credentials
  flotilla install --provider gcp --bucket backups --identity velero@my-project.iam.gserviceaccount.com -o helm
  flotilla install --location bsl.yaml --volume-location vsl.yaml --registry registry.example.com/backup --tag v1.0.0 -o manifests
  flotilla install --provider azure --bucket backups --config useAAD=true --policy

Nothing is applied: what is printed is yours to look at, and to give to velero, helm or kubectl.`;

/** `flotilla install`. */
export function installCommand(context: CliContext, outcome: Outcome): Command {
  const install = new Command("install")
    .description(
      "Prints what installs a plugin: velero's line, Helm values or manifests, and the policy of its identity.",
    )
    .showHelpAfterError("(add --help for the flags)");
  for (const option of locationOptions()) install.addOption(option);
  for (const option of installOptions()) install.addOption(option);
  for (const option of runOptions()) if (option.long !== "--output") install.addOption(option);
  return install
    .addHelpText("after", examples)
    .action(async (flags: InstallFlags & Omit<RunFlags, "output"> & InstallOutput) => {
      const output = flags.output === "json" ? "json" : "table";
      await runCommand(context, outcome, { ...flags, output }, async () => {
        const part = typeof flags.policy === "string" ? flags.policy : undefined;
        const isPolicyAlone = flags.policy !== undefined;
        const settings = await readSettings(context, flags);
        const { notes, ...report } = renderInstall(settings, flags.output, { isPolicyAlone, part });
        if (!flags.quiet) for (const note of notes) context.printError(`note: ${note}\n`);
        return report;
      });
    });
}

interface InstallOutput {
  readonly output: InstallForm;
  /** True without a word behind it. */
  readonly policy?: PolicyPart | true;
}

function installOptions(): readonly Option[] {
  return [
    new Option("-o, --output <form>", "the line of velero install, Helm values, manifests, or all as one document")
      .choices(installForms)
      .default("velero"),
    new Option("--policy [part]", "print the least-privilege policy alone, of both locations or of one").choices(
      policyParts,
    ),
    new Option("--namespace <name>", "the server's namespace").default("velero"),
    new Option("--registry <prefix>", "where the images are").default("YOUR-REGISTRY"),
    new Option("--tag <tag>", "their tag").default("TAG"),
    new Option("--image <reference>", "the plugin's image, where it is called otherwise"),
    new Option("--cli-image <reference>", "the image of this command line, where it is called otherwise"),
    new Option("--identity <id>", "the pod's identity instead of a Secret: role ARN, client id, or service account"),
    new Option("--no-secret", "no Secret and no mark of an identity: the cloud itself ties one to the service account"),
    new Option("--no-volumes", "leave out native snapshots of volumes"),
    new Option("--copy-to <file>", "a BackupStorageLocation in YAML that a CronJob copies backups to"),
    new Option("--verify-schedule <cron>", "when the newest backup is read back").default("17 5 * * *"),
    new Option("--copy-schedule <cron>", "when copies are made").default("*/30 * * * *"),
  ];
}
