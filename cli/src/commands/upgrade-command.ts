import { resolve } from "node:path";

import { Command, Option } from "commander";

import { UsageError } from "../cli-error.ts";
import { runOptions } from "../common-options.ts";
import type { CliContext, Report } from "../context.ts";
import { checkedImage, withoutSlash } from "../image-reference.ts";
import { formatTable } from "../output/table.ts";
import { runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { RunFlags } from "../session.ts";
import { planChange } from "../upgrade/plan.ts";
import type { Direction, Step } from "../upgrade/plan.ts";
import { readResources } from "../upgrade/read-resources.ts";

interface UpgradeFlags extends RunFlags {
  readonly to: Direction;
  readonly location?: string;
  readonly volumeLocation?: string;
  readonly registry: string;
  readonly image?: string;
}

const directions: readonly Direction[] = ["flotilla", "official"];

const examples = `
Examples:
  flotilla upgrade cluster.yaml --registry registry.example.com/backup
  flotilla upgrade --to official --location bsl.yaml --volume-location vsl.yaml

The cluster's: kubectl get deployments,bsl,vsl --namespace velero -o yaml > cluster.yaml
Nothing is changed. The exit code is 1 where something is to be done first, or is lost.`;

/** `flotilla upgrade`. */
export function upgradeCommand(context: CliContext, outcome: Outcome): Command {
  const upgrade = new Command("upgrade")
    .description("Says what a change from the official plugin to this one, or back, takes: what first, what stays.")
    .argument("[files...]", "YAML of the server's Deployment and of locations, as kubectl prints them")
    .addOption(new Option("--to <plugin>", "the plugin that shall be there").choices(directions).default("flotilla"))
    .option("--location <file>", "a BackupStorageLocation in YAML")
    .option("--volume-location <file>", "a VolumeSnapshotLocation in YAML")
    .option("--registry <prefix>", "where this project's images are", "YOUR-REGISTRY")
    .option("--image <reference>", "the plugin's image, where it is called otherwise")
    .addHelpText("after", examples)
    .showHelpAfterError("(add --help for the flags)");
  for (const option of runOptions()) upgrade.addOption(option);
  return upgrade.action(async (files: string[], flags: UpgradeFlags) => {
    await runCommand(context, outcome, flags, async () => {
      const paths = [...files, flags.location, flags.volumeLocation].filter((path) => path !== undefined);
      if (paths.length === 0) throw new UsageError("nothing to look at: give files, --location or --volume-location");
      const resources = await readResources(paths.map((path) => resolve(context.workingDirectory, path)));
      return report(planChange(resources, { to: flags.to, ...imagesOf(flags) }), flags.to);
    });
  });
}

function imagesOf({ registry, image }: UpgradeFlags): {
  readonly registry: string;
  readonly image: string | undefined;
} {
  checkedImage(image ?? `${withoutSlash(registry)}/plugin`);
  return { registry: withoutSlash(registry), image };
}

function report(steps: readonly Step[], to: Direction): Report {
  const rows = steps.map(({ action, resource, what, why }) => [action, resource, what, why]);
  const first = steps.filter(({ action }) => action === "first").length;
  const lost = steps.filter(({ action }) => action === "lost").length;
  const verdict = [
    ...(lost > 0 ? [`${lost} cannot be had with the ${to} plugin`] : []),
    first > 0 ? `${first} to be done before the image changes` : "nothing has to be done before the image changes",
  ].join("; ");
  return {
    json: { to, steps },
    text: `${formatTable(["action", "resource", "what", "why"], rows)}\n${verdict}\n`,
    isFailure: first + lost > 0,
  };
}
