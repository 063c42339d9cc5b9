import type { Report } from "../context.ts";
import { selectBackups } from "../copy/select-backups.ts";
import type { Selection } from "../copy/select-backups.ts";
import { describeError } from "../session.ts";
import type { OpenedStore, OpenedVolumes, Session } from "../session.ts";
import { reportVerified, verifyBackup } from "./backup-verify.ts";

/** Verifies one backup after the other; one that cannot be read keeps none of the others from being looked at. */
export async function verifySelected(
  session: Session,
  { store, volumes }: { readonly store: OpenedStore; readonly volumes: OpenedVolumes | undefined },
  { selection, waitMs }: { readonly selection: Selection; readonly waitMs: number },
): Promise<Report> {
  const names = await selectBackups(session, store, selection);
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
  return {
    json: { backups: reports.map(({ json }) => json) },
    text: `${reports.map(({ text }) => text).join("\n")}${names.length === 0 ? "" : "\n"}${summary}\n`,
    // A location in which nothing is found is no good news to whoever asks for the newest backup each night.
    isFailure: faulty > 0 || names.length === 0,
  };
}
