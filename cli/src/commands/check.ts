import type { Finding } from "@flotilla/sdk/plugin";
import { failure, isKind } from "@flotilla/sdk/plugin";

import { UsageError } from "../cli-error.ts";
import type { Report } from "../context.ts";
import { formatFindings } from "../output/findings-table.ts";
import { checkReading } from "../preflight/check-reading.ts";
import { measureLatency } from "../preflight/latency.ts";
import { checkFolders } from "../preflight/top-level-folders.ts";
import { veleroSupport } from "../preflight/velero-versions.ts";
import { describeError } from "../session.ts";
import type { OpenedStore, Session } from "../session.ts";

/** A finding with the location that it belongs to. */
interface LocationFinding extends Finding {
  readonly location: "BackupStorageLocation" | "VolumeSnapshotLocation" | "plugin" | "server";
}

/** What looking at a location came to. */
interface Examined {
  readonly findings: readonly LocationFinding[];
  /** Whether the plugin can tell what it needs: where not, nothing but the opening was looked at. */
  readonly isChecked: boolean;
}

interface Checkable {
  readonly check: (call: { readonly signal: AbortSignal }) => AsyncIterable<Finding>;
}

/** What is checked. */
interface Checked {
  readonly store: boolean;
  readonly volumes: boolean;
  /** Of the server, where it is known. */
  readonly veleroVersion?: string | undefined;
}

/** Checks the locations that were given: opening them, each permission, latency, and the plugin's own conduct on the wire. */
export async function checkLocations(session: Session, given: Checked): Promise<Report> {
  if (!given.store && !given.volumes && given.veleroVersion === undefined) {
    throw new UsageError("nothing to check: give --bucket or --location, or --volume-config or --volume-location");
  }
  const findings: LocationFinding[] = given.veleroVersion === undefined ? [] : [versionFinding(given.veleroVersion)];
  const unchecked: string[] = [];
  const take = (location: LocationFinding["location"], examined: Examined): void => {
    findings.push(...examined.findings);
    if (!examined.isChecked) unchecked.push(location);
  };
  if (given.store) take("BackupStorageLocation", await examineStore(session));
  if (given.volumes) {
    const open = async () => (await session.openRequiredVolumes()).client;
    take("VolumeSnapshotLocation", await examine(session, "VolumeSnapshotLocation", open));
  }
  findings.push(...session.violations.map(violationFinding));
  return report(findings, unchecked);
}

async function examineStore(session: Session): Promise<Examined> {
  const location = "BackupStorageLocation";
  let opened: OpenedStore | undefined;
  const examined = await examine(session, location, async () => {
    const store = await session.openStore();
    opened = store;
    return store.location.isReadOnly ? { check: () => checkReading(session, store) } : store.client;
  });
  const { findings, isChecked } = examined;
  // A store that does not answer, or refuses, was told of already.
  if (opened === undefined || findings.some(({ severity }) => severity === "failure")) return examined;
  const more = [
    await tried(session, "folders", checkFolders(session, opened)),
    await tried(session, "latency", measureLatency(session, opened)),
  ];
  return { findings: [...findings, ...more.map((finding) => ({ location, ...finding }) as const)], isChecked };
}

/** A finding, or why there is none. */
async function tried(session: Session, subject: string, finding: Promise<Finding>): Promise<Finding> {
  try {
    return await finding;
  } catch (error) {
    session.context.signal.throwIfAborted();
    return failure(subject, error);
  }
}

function versionFinding(text: string): LocationFinding {
  const support = veleroSupport(text);
  if (support === undefined)
    throw new UsageError(`--velero-version ${text}: give it as v1.18.3, or as the server's image`);
  const { state, version, remedy } = support;
  const about = { location: "server", subject: `Velero ${version}`, remedy } as const;
  switch (state) {
    case "tested":
      return { ...about, severity: "ok", detail: "tested with its own client code" };
    case "expected":
      return { ...about, severity: "advice", detail: "expected to work" };
    case "newer":
      return { ...about, severity: "advice", detail: "not known yet" };
    case "unsupported":
      return { ...about, severity: "failure", detail: "not supported" };
    default:
      return state satisfies never;
  }
}

async function examine(
  session: Session,
  location: LocationFinding["location"],
  open: () => Promise<Checkable>,
): Promise<Examined> {
  const findings: LocationFinding[] = [];
  let isChecked = true;
  try {
    const client = await open();
    findings.push({
      location,
      severity: "ok",
      subject: "open",
      detail: "the plugin took the configuration",
      remedy: "",
    });
    for await (const finding of client.check(session.call)) findings.push({ location, ...finding });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    session.context.signal.throwIfAborted();
    const isUnsupported = isKind(error, "unsupported");
    isChecked = !isUnsupported;
    findings.push({
      location,
      severity: isUnsupported ? "advice" : "failure",
      subject: findings.length === 0 ? "open" : "check",
      detail: describeError(error).message,
      remedy: isUnsupported ? "use a plugin of this project to have each permission checked" : "",
    });
  }
  return { findings, isChecked };
}

function violationFinding(detail: string): LocationFinding {
  const remedy = "report it to the plugin's authors: the server may lose log lines, or fall over";
  return { location: "plugin", severity: "advice", subject: "protocol", detail, remedy };
}

function report(findings: readonly LocationFinding[], unchecked: readonly string[]): Report {
  const failures = findings.filter(({ severity }) => severity === "failure").length;
  const summary = failures === 0 ? "no failures" : `${failures} ${failures === 1 ? "failure" : "failures"}`;
  const caution =
    unchecked.length === 0 ? "" : `; but whether the ${unchecked.join(" and the ")} can be used was NOT CHECKED`;
  return {
    json: { findings, unchecked },
    text: `${formatFindings(findings)}\n${summary}${caution}\n`,
    // What nobody looked at is no good news.
    isFailure: failures > 0 || unchecked.length > 0,
  };
}
