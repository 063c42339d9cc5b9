import type { Finding } from "@flotilla/sdk/plugin";
import { isKind } from "@flotilla/sdk/plugin";

import { UsageError } from "../cli-error.ts";
import type { Report } from "../context.ts";
import { formatFindings } from "../output/findings-table.ts";
import { measureLatency } from "../preflight/latency.ts";
import { examineTopLevel } from "../preflight/top-level.ts";
import { veleroSupport } from "../preflight/velero-versions.ts";
import { describeError } from "../session.ts";
import type { OpenedStore, Session } from "../session.ts";

/** A finding with the location that it belongs to. */
interface LocationFinding extends Finding {
  readonly location: "BackupStorageLocation" | "VolumeSnapshotLocation" | "plugin" | "server";
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
  if (given.store) findings.push(...(await examineStore(session)));
  if (given.volumes) {
    const open = async () => (await session.openRequiredVolumes()).client;
    findings.push(...(await examine(session, "VolumeSnapshotLocation", open)));
  }
  findings.push(...session.violations.map(violationFinding));
  return report(findings);
}

async function examineStore(session: Session): Promise<readonly LocationFinding[]> {
  const location = "BackupStorageLocation";
  let opened: OpenedStore | undefined;
  const findings = await examine(session, location, async () => {
    opened = await session.openStore();
    return opened.client;
  });
  // A store that does not answer, or refuses, was told of already.
  if (opened === undefined || findings.some(({ severity }) => severity === "failure")) return findings;
  const further = [
    await found(session, "top level", examineTopLevel(session, opened)),
    await found(session, "latency", measureLatency(session, opened)),
  ];
  return [...findings, ...further.map((finding) => ({ location, ...finding }) as const)];
}

/** A question that failed is a failure of its own. */
async function found(session: Session, subject: string, finding: Promise<Finding>): Promise<Finding> {
  try {
    return await finding;
  } catch (error) {
    session.context.signal.throwIfAborted();
    return { severity: "failure", subject, detail: describeError(error).message, remedy: "" };
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
): Promise<readonly LocationFinding[]> {
  const findings: LocationFinding[] = [];
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
    findings.push({
      location,
      severity: isUnsupported ? "advice" : "failure",
      subject: findings.length === 0 ? "open" : "check",
      detail: describeError(error).message,
      remedy: isUnsupported ? "use a plugin of this project to have each permission checked" : "",
    });
  }
  return findings;
}

function violationFinding(detail: string): LocationFinding {
  const remedy = "report it to the plugin's authors: the server may lose log lines, or fall over";
  return { location: "plugin", severity: "advice", subject: "protocol", detail, remedy };
}

function report(findings: readonly LocationFinding[]): Report {
  const failures = findings.filter(({ severity }) => severity === "failure").length;
  const summary = failures === 0 ? "no failures" : `${failures} ${failures === 1 ? "failure" : "failures"}`;
  return {
    json: { findings },
    text: `${formatFindings(findings)}\n${summary}\n`,
    isFailure: failures > 0,
  };
}
