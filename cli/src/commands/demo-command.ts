import { join, resolve } from "node:path";
import { isSea } from "node:sea";

import { Command, Option } from "commander";

import { UsageError } from "../cli-error.ts";
import { runOptions } from "../common-options.ts";
import type { CliContext } from "../context.ts";
import { demoClouds } from "../demo/clouds/index.ts";
import { runDemo } from "../demo/run-demo.ts";
import { runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { RunFlags } from "../session.ts";

const checkout = join(import.meta.dirname, "..", "..", "..");
const defaultInput = join(checkout, "examples");
const defaultState = join(checkout, ".flotilla", "demo");

/** `flotilla demo`. */
export function demoCommand(context: CliContext, outcome: Outcome): Command {
  const demo = new Command("demo")
    .description("Backs up real input, damages a stored object, catches it and restores, against local stand-ins.")
    .addOption(
      new Option("--provider <name>", "the cloud whose plugin is shown")
        .choices(demoClouds.map(({ provider }) => provider))
        .default(demoClouds[0].provider),
    )
    .option("--from <path>", "a folder of Kubernetes manifests, or a Velero backup tarball", defaultInput)
    .option("--state <dir>", "where the stand-ins and the restored files are kept", defaultState)
    .option("--keep", "leave the state folder behind", false)
    .addHelpText("after", "\nExample:\n  flotilla demo --from manifests/ --keep")
    .showHelpAfterError("(add --help for the flags)");
  for (const option of runOptions()) demo.addOption(option);
  return demo.action(async (flags: RunFlags & { provider: string; from: string; state: string; keep: boolean }) => {
    await runCommand(context, outcome, flags, async () => {
      if (isSea())
        throw new UsageError("the demo's stand-ins of a cloud are in a checkout of the project: npm ci && npm start");
      return await runDemo(context, flags, {
        cloud: demoClouds.find(({ provider }) => provider === flags.provider) ?? demoClouds[0],
        from: resolve(context.workingDirectory, flags.from),
        state: resolve(context.workingDirectory, flags.state),
        isKept: flags.keep,
      });
    });
  });
}
