import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { arch, platform, release, totalmem } from "node:os";
import { basename } from "node:path";

import packageJson from "../../package.json" with { type: "json" };
import { checkLocations } from "../commands/check.ts";
import { listPlugins } from "../commands/plugin-list.ts";
import { keptCrashReports } from "../crash-reports.ts";
import type { ObjectLocation, VolumeLocation } from "../location.ts";
import { describeError } from "../session.ts";
import type { Session } from "../session.ts";
import type { BundleFile } from "./bundle.ts";
import { describeConfig, describeEnvironment } from "./describe-config.ts";
import { logExcerpt } from "./log-excerpt.ts";
import type { Redactor } from "./redactor.ts";

/** What a bundle is made of. */
export interface DebugSubject {
  readonly store: ObjectLocation | undefined;
  readonly volumes: VolumeLocation | undefined;
  readonly logs: readonly string[];
}

/** Everything that helps to understand a fault, without secrets. */
export async function collect(
  session: Session,
  subject: DebugSubject,
  redactor: Redactor,
): Promise<readonly BundleFile[]> {
  const { context } = session;
  const logs = await Promise.all(
    subject.logs.map(async (path, index) => ({
      name: `logs/${index + 1}-${redactor.text(basename(path)).replaceAll(/[^\w.()-]/g, "_")}`,
      content: redactor.text(await logExcerpt(path)),
    })),
  );
  // The checks come before what they add to: the plugins' log, and reports of crashes.
  const checks = await attempt(redactor, async () => await runChecks(session, subject));
  const versions = await attempt(redactor, async () => await describeVersions(session));
  return [
    { name: "README.txt", content: readme },
    { name: "versions.json", content: versions },
    { name: "locations.json", content: asJson(describeLocations(redactor, subject)) },
    { name: "environment.json", content: asJson(describeEnvironment(redactor, context.env)) },
    { name: "checks.json", content: checks },
    {
      name: "plugin-log.jsonl",
      content: session.pluginLines.map((line) => `${JSON.stringify(redactor.json(line))}\n`).join(""),
    },
    ...keptCrashReports(context).map(({ name, text }) => ({
      name: `crash-reports/${name}`,
      content: redactor.text(text),
    })),
    ...logs,
  ];
}

async function attempt(redactor: Redactor, work: () => Promise<unknown>): Promise<string> {
  try {
    return asJson(redactor.json(await work()));
  } catch (error) {
    // What cannot be found out is a finding itself: a bundle is wanted most when nothing works.
    return asJson(redactor.json({ error: describeError(error) }));
  }
}

async function runChecks(session: Session, { store, volumes }: DebugSubject): Promise<unknown> {
  if (store === undefined && volumes === undefined) return { findings: [], note: "no location was given" };
  const given = { store: store !== undefined, volumes: volumes !== undefined };
  return (await checkLocations(session, given)).json;
}

async function describeVersions(session: Session): Promise<unknown> {
  const { json } = await listPlugins(session);
  const { registry } = await session.plugins();
  const commands = [...new Set(registry.list().map(({ command }) => command))];
  const executables = await Promise.all(
    commands.map(async (command) => {
      const bytes = await readFile(command);
      return { command, bytes: bytes.length, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` };
    }),
  );
  const system = { platform: platform(), arch: arch(), release: release(), memoryBytes: totalmem() };
  return { flotilla: packageJson.version, node: process.version, system, registered: json, executables };
}

function describeLocations(redactor: Redactor, { store, volumes }: DebugSubject): unknown {
  return {
    backupStorageLocation: store && {
      name: redactor.text(store.name),
      provider: redactor.text(store.provider),
      isReadOnly: store.isReadOnly,
      config: describeConfig(redactor, { ...store, kind: "ObjectStore" }),
    },
    volumeSnapshotLocation: volumes && {
      name: redactor.text(volumes.name),
      provider: redactor.text(volumes.provider),
      config: describeConfig(redactor, { ...volumes, kind: "VolumeSnapshotter" }),
    },
  };
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

const readme = `A bundle of flotilla debug.

versions.json      the executables, with their digests, and the system
locations.json     the keys of the locations; a value is shown where the key is known to hold no secret
environment.json   some variables with their values, of the others that they are set
checks.json        what flotilla check found
plugin-log.jsonl   what the plugins logged meanwhile
crash-reports/     of plugin processes that this command line saw crash, the last ten
logs/              the ends of the logs that were given

Secrets of the environment, of the locations and of the files that these name are taken out in every form, and so is
whatever looks like one. Names of buckets, hosts, accounts, backups and volumes are in it. Look through it before you
send it.
`;
