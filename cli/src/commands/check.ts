import type { Finding } from "@flotilla/sdk/plugin";
import { failure, isKind } from "@flotilla/sdk/plugin";

import { UsageError } from "../cli-error.ts";
import type { Report } from "../context.ts";
import { formatFindings } from "../output/findings-table.ts";
import { formatDuration } from "../output/units.ts";
import { checkReading } from "../preflight/check-reading.ts";
import { measureLatency } from "../preflight/latency.ts";
import { Patience } from "../preflight/patience.ts";
import { checkFolders } from "../preflight/top-level-folders.ts";
import { veleroSupport } from "../preflight/velero-versions.ts";
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
  readonly check: (call: Call) => AsyncIterable<Finding>;
}

interface Call {
  readonly signal: AbortSignal;
}

/** What is checked. */
interface Checked {
  readonly store: boolean;
  readonly volumes: boolean;
  /** Of the server, where it is known. */
  readonly veleroVersion?: string | undefined;
  /** How long each answer is waited for. */
  readonly timeoutMs?: number | undefined;
}

// Longer than a way to a store may be slow, and shorter than a plugin asks a silent one again.
const usualTimeoutMs = 120_000;

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
  const { timeoutMs = usualTimeoutMs } = given;
  if (given.store) take("BackupStorageLocation", await examineStore(session, timeoutMs));
  if (given.volumes) {
    const open = async () => (await session.openRequiredVolumes()).client;
    take("VolumeSnapshotLocation", await examine(session, "VolumeSnapshotLocation", { open, timeoutMs }));
  }
  findings.push(...session.violations.map(violationFinding));
  return report(findings, unchecked);
}

async function examineStore(session: Session, timeoutMs: number): Promise<Examined> {
  const location = "BackupStorageLocation";
  let opened: OpenedStore | undefined;
  const open = async (): Promise<Checkable> => {
    const store = await session.openStore();
    opened = store;
    return store.location.isReadOnly ? { check: (call) => checkReading(session, store, call) } : store.client;
  };
  const examined = await examine(session, location, { open, timeoutMs });
  const { findings, isChecked } = examined;
  // A store that does not answer, or refuses, was told of already.
  if (opened === undefined || findings.some(({ severity }) => severity === "failure")) return examined;
  const { client, location: place } = opened;
  const folders = await tried(session, "folders", timeoutMs, async (call) => await checkFolders(client, place, call));
  // Whoever did not answer once would be asked five times more.
  const isSilent = folders.severity === "failure" && folders.detail.startsWith(noAnswer);
  const latency = isSilent
    ? []
    : [await tried(session, "latency", timeoutMs, async (call) => await measureLatency(client, place, call))];
  const more = [folders, ...latency].map((finding) => ({ location, ...finding }) as const);
  return { findings: [...findings, ...more], isChecked };
}

/** A finding, or why there is none. */
async function tried(
  session: Session,
  subject: string,
  timeoutMs: number,
  find: (call: Call) => Promise<Finding>,
): Promise<Finding> {
  using patience = new Patience(timeoutMs);
  try {
    return await find(callWith(session, patience));
  } catch (error) {
    session.context.signal.throwIfAborted();
    return patience.signal.aborted ? silence(subject, timeoutMs) : failureOf(subject, error);
  }
}

function callWith(session: Session, { signal }: Patience): Call {
  return { signal: AbortSignal.any([session.context.signal, signal]) };
}

const noAnswer = "no answer within ";

function silence(subject: string, timeoutMs: number): Finding {
  const remedy = "check the endpoint, the network policy and the proxy, or give it longer by --timeout";
  return { severity: "failure", subject, detail: `${noAnswer}${formatDuration(timeoutMs)}`, remedy };
}

/** A failure always says what to do, if only how to see more. */
function failureOf(subject: string, error: unknown): Finding {
  return withRemedy(failure(subject, error));
}

function withRemedy<T extends Finding>(finding: T): T {
  if (finding.severity !== "failure" || finding.remedy !== "") return finding;
  return { ...finding, remedy: "try again, with --log-level debug to see what was asked" };
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
  { open, timeoutMs }: { readonly open: () => Promise<Checkable>; readonly timeoutMs: number },
): Promise<Examined> {
  const findings: LocationFinding[] = [];
  let isChecked = true;
  using patience = new Patience(timeoutMs);
  try {
    const client = await patience.of(open());
    findings.push({
      location,
      severity: "ok",
      subject: "open",
      detail: "the plugin took the configuration",
      remedy: "",
    });
    for await (const finding of client.check(callWith(session, patience))) {
      patience.renew();
      findings.push({ location, ...withRemedy(finding) });
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    session.context.signal.throwIfAborted();
    isChecked = !isKind(error, "unsupported");
    const subject = findings.length === 0 ? "open" : "check";
    const found = patience.signal.aborted ? silence(subject, timeoutMs) : failureOf(subject, error);
    findings.push({ location, ...(isChecked ? found : unsupported(found)) });
  }
  return { findings, isChecked };
}

function unsupported(finding: Finding): Finding {
  return { ...finding, severity: "advice", remedy: "use a plugin of this project to have each permission checked" };
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
