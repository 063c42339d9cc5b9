import { isFinished } from "../backup-layout/backup-facts.ts";
import type { Report } from "../context.ts";
import { selectBackups } from "../copy/select-backups.ts";
import type { Selection } from "../copy/select-backups.ts";
import { describeError } from "../session.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import type { ListedBackup } from "./backup-list.ts";
import { reportVerified, verifyBackup } from "./backup-verify.ts";
import { verifyData, withData } from "./verify-data.ts";
import type { ExtensibleReport } from "./verify-data.ts";

/** What backups are verified in. */
interface VerifiedLocations {
  readonly store: OpenedStore;
  readonly volumes: OpenedVolumes | undefined;
}

/** What is verified. */
interface VerifyRequest {
  readonly selection: Selection;
  readonly waitMs: number;
  /** How much of the repository to read back beside the backups; nothing unless told. */
  readonly dataSubset?: string | undefined;
}

/** Verifies backups, and afterwards as much of the repository that holds them as was asked for. */
export async function verifySelected(
  session: Session,
  locations: VerifiedLocations,
  request: VerifyRequest,
): Promise<Report> {
  const report = await verifyBackups(session, locations, request);
  const { dataSubset } = request;
  return dataSubset === undefined ? report : withData(report, await verifyData(session, locations, dataSubset));
}

// Longer than any backup should take: what is not done by then is a fault, and told as one.
const underWayMs = 86_400_000;

/** Whether the server is at it: a nightly look at the newest backup must not fail because tonight's has begun. */
function isUnderWay(backup: ListedBackup): boolean {
  return !isFinished(backup) && Date.now() - Date.parse(backup.startedAt) < underWayMs;
}

/** One backup after the other; one that cannot be read keeps none of the others from being looked at. */
async function verifyBackups(
  session: Session,
  { store, volumes }: VerifiedLocations,
  { selection, waitMs }: VerifyRequest,
): Promise<ExtensibleReport> {
  const names = await selectBackups(session, store, selection, (backup) => {
    if (!isUnderWay(backup)) return false;
    session.progress.note(`backup ${backup.name} is under way (its phase is ${backup.phase}): passed over`);
    return true;
  });
  const [only] = names;
  if (selection.kind === "named" && names.length === 1 && only !== undefined) {
    return reportVerified(await verifyBackup(session, store, volumes, { name: only, waitMs }));
  }
  const reports: Report[] = [];
  for (const name of names) {
    try {
      reports.push(reportVerified(await verifyBackup(session, store, volumes, { name, waitMs })));
    } catch (error) {
      session.context.signal.throwIfAborted();
      const { kind, message } = describeError(error);
      const json = { name, isSound: false, error: { kind, message } };
      reports.push({ json, text: `backup ${name} cannot be verified: ${message}\n`, isFailure: true });
    }
  }
  const faulty = reports.filter(({ isFailure }) => isFailure === true).length;
  const summary =
    names.length === 0 ? "there is no backup" : `${names.length - faulty} of ${names.length} backups are sound`;
  // A location in which nothing is found is no good news to whoever asks for the newest backup each night.
  const isSound = faulty === 0 && names.length > 0;
  return {
    json: { isSound, backups: reports.map(({ json }) => json) },
    text: `${reports.map(({ text }) => text).join("\n")}${names.length === 0 ? "" : "\n"}${summary}\n`,
    isFailure: !isSound,
  };
}
