import { advice, failure, isKind } from "@flotilla/sdk/plugin";
import type { Finding } from "@flotilla/sdk/plugin";

import type { Report } from "../context.ts";
import { formatFindings } from "../output/findings-table.ts";
import { describeError } from "../session.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";

/** What reading back a part of a location's repository showed. */
interface DataFinding extends Finding {
  readonly location: "BackupStorageLocation" | "VolumeSnapshotLocation";
}

interface DataReader {
  readonly checkData: (subset: string, call: { readonly signal: AbortSignal }) => AsyncIterable<Finding>;
}

/** A report whose document is an object, to which more can be added. */
export type ExtensibleReport = Report & { readonly json: object };

/** Has the plugins read back a part of the repositories that the locations are kept in. */
export async function verifyData(
  session: Session,
  { store, volumes }: { readonly store: OpenedStore; readonly volumes: OpenedVolumes | undefined },
  subset: string,
): Promise<readonly DataFinding[]> {
  const findings = await readBack(session, "BackupStorageLocation", store.client, subset);
  if (volumes === undefined || isSameRepository(store, volumes)) return findings;
  return [...findings, ...(await readBack(session, "VolumeSnapshotLocation", volumes.client, subset))];
}

/** The report with what was read back. It is a failure, too, where nothing was. */
export function withData(report: ExtensibleReport, findings: readonly DataFinding[]): Report {
  const failures = findings.filter(({ severity }) => severity === "failure").length;
  const isRead = findings.some(({ severity }) => severity === "ok");
  const isFailure = report.isFailure === true || failures > 0 || !isRead;
  return {
    json: { ...report.json, isSound: !isFailure, data: findings },
    text: `${report.text}\n${formatFindings(findings)}\n${conclusion(failures, isRead)}\n`,
    isFailure,
  };
}

function conclusion(failures: number, isRead: boolean): string {
  if (failures > 0) return "the repository HAS FAULTS, or could not be read back: see its remedy before it is needed";
  return isRead ? "what was read back of the repository is sound" : "NOTHING of a repository was read back";
}

async function readBack(
  session: Session,
  location: DataFinding["location"],
  client: DataReader,
  subset: string,
): Promise<readonly DataFinding[]> {
  const findings: DataFinding[] = [];
  session.progress.show(`reading back ${subset} of what the ${location} is kept in`);
  try {
    for await (const finding of client.checkData(subset, session.call)) findings.push({ location, ...finding });
  } catch (error) {
    session.context.signal.throwIfAborted();
    findings.push({ location, ...notRead(error) });
  }
  session.progress.clear();
  return findings;
}

function notRead(error: unknown): Finding {
  if (!isKind(error, "unsupported")) return failure("repository data", error);
  const remedy = "leave out --read-data-subset: only repositories such as restic's have data beside their objects";
  return advice("repository data", describeError(error).message, remedy);
}

/** Both locations may be in one repository, which needs to be read once only. */
function isSameRepository(store: OpenedStore, volumes: OpenedVolumes): boolean {
  const { repository } = store.location.config;
  const { provider, config } = volumes.location;
  // A second repository belongs to the volumes alone.
  const isAlone = config["copyToRepository"] === undefined;
  return (
    isAlone && provider === store.location.provider && repository !== undefined && repository === config["repository"]
  );
}
