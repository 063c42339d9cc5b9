import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { UploadSession } from "./upload-session.ts";
import type { SessionRecord } from "./upload-session.ts";

/** The resumable uploads that are under way, and those that have ended; each in a folder of its own. */
export class UploadSessions {
  readonly #folder: string;
  readonly #byId = new Map<string, UploadSession>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const id of readdirSync(folder)) {
      const file = join(folder, id, "session.json");
      if (!existsSync(file)) continue;
      // Written by save() only.
      const record = JSON.parse(readFileSync(file, "utf8")) as SessionRecord;
      this.#byId.set(id, new UploadSession(record, join(folder, id)));
    }
  }

  /** Begins an upload. */
  begin(record: Omit<SessionRecord, "id" | "size" | "state">): UploadSession {
    const id = `ABPnz${randomBytes(36).toString("base64url")}`;
    const folder = join(this.#folder, id);
    mkdirSync(folder);
    const session = new UploadSession({ ...record, id, size: 0, state: "open" }, folder);
    session.save();
    this.#byId.set(id, session);
    return session;
  }

  find(id: string): UploadSession | undefined {
    return this.#byId.get(id);
  }

  /** Returns the uploads into a bucket that wait for more. */
  open(bucket: string): readonly UploadSession[] {
    return [...this.#byId.values()].filter(({ record }) => record.bucket === bucket && record.state === "open");
  }

  /** Ends an upload: what had arrived goes, what it was stays known. */
  async end(session: UploadSession, state: SessionRecord["state"], generation?: string): Promise<void> {
    session.end(state, generation);
    await rm(session.dataPath, { force: true });
  }
}
