import { resolve } from "node:path";

import type { Command } from "commander";

import { commandWithCommonOptions, repeatable } from "../common-options.ts";
import type { CliContext, Report } from "../context.ts";
import { writeBundle } from "../debug/bundle.ts";
import { collect } from "../debug/collect.ts";
import { hiddenValues } from "../debug/describe-config.ts";
import type { DescribedLocation } from "../debug/describe-config.ts";
import { knownSecrets } from "../debug/known-secrets.ts";
import { Redactor } from "../debug/redactor.ts";
import { resolveObjectLocation, resolveVolumeLocation } from "../location.ts";
import { runCommand } from "../run-command.ts";
import type { Outcome } from "../run-command.ts";
import type { CommonFlags, Session } from "../session.ts";

interface DebugFlags extends CommonFlags {
  readonly to?: string;
  readonly log: readonly string[];
}

const examples = `
Examples:
  flotilla debug --location bsl.yaml --volume-location vsl.yaml --credentials-file credentials
  flotilla debug --log velero.log --log previous.log --to bundle.tar.gz      with the end of the server's logs

The server's log: kubectl logs deployment/velero --namespace velero > velero.log`;

/** `flotilla debug`. */
export function debugCommand(context: CliContext, outcome: Outcome): Command {
  return commandWithCommonOptions(
    "debug",
    "Writes a bundle for whoever helps: versions, keys, checks, crashes, logs; no secrets.",
  )
    .option("--to <file>", "the bundle, which must not be there yet (default: flotilla-debug-TIME.tar.gz)")
    .addOption(repeatable("--log <file>", "a log of the server, of which the end is taken"))
    .addHelpText("after", examples)
    .action(async (flags: DebugFlags) => {
      await runCommand(context, outcome, flags, async (session) => await debug(session, flags));
    });
}

async function debug(session: Session, flags: DebugFlags): Promise<Report> {
  const { context } = session;
  const hasStore = flags.bucket !== undefined || flags.location !== undefined;
  const store = hasStore ? await resolveObjectLocation(flags) : undefined;
  const volumes = await resolveVolumeLocation(flags);
  const locations: readonly DescribedLocation[] = [
    ...(store === undefined ? [] : [{ ...store, kind: "ObjectStore" } as const]),
    ...(volumes === undefined ? [] : [{ ...volumes, kind: "VolumeSnapshotter" } as const]),
  ];
  const configs = locations.map(({ config }) => config);
  const values = locations.flatMap(hiddenValues);
  const files = flags.credentialsFile === undefined ? [] : [resolve(context.workingDirectory, flags.credentialsFile)];
  const redactor = new Redactor(await knownSecrets({ env: context.env, configs, values, files }));
  const contents = await collect(session, { store, volumes, logs: flags.log }, redactor);
  const name = `flotilla-debug-${context.now().toISOString().replaceAll(/[:.]/g, "-")}.tar.gz`;
  const path = resolve(context.workingDirectory, flags.to ?? name);
  await writeBundle(path, contents, { redactor, modifiedAt: context.now() });
  return {
    json: { path, files: contents.map(({ name }) => name) },
    text: `${path}\n${contents.map(({ name }) => `  ${name}\n`).join("")}Look through it before you send it.\n`,
  };
}
