import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import type { Location } from "../wire/location.ts";
import { until } from "../wire/until.ts";
import { skipSlow, startResticRig } from "./restic-rig.ts";
import type { ResticRig } from "./restic-rig.ts";
import type { Session } from "../wire/workspace.ts";

// A kill -9 of the plugin, and of restic, at each step of a put and of a delete. Afterwards an object is there whole, or
// as it was before; and the repository is healthy by restic's own check.

const former = Buffer.from("the former object");
const next = Buffer.alloc(3_000_000, "the next object. ");

/** A step at which restic is held, by a part of its command line. */
interface Stage {
  readonly title: string;
  readonly holds: string;
  /** Whether restic is held before it works, or after it has and before it says so. */
  readonly when: "before" | "after";
}

const stages: readonly Stage[] = [
  { title: "before the data is read", holds: "flotilla.io/data=", when: "before" },
  { title: "after the data is stored", holds: "flotilla.io/data=", when: "after" },
  { title: "before the record is stored", holds: "flotilla.io/object=", when: "before" },
  { title: "after the record is stored", holds: "flotilla.io/object=", when: "after" },
];

const deletions: readonly Stage[] = [
  { title: "before the snapshots are forgotten", holds: " forget ", when: "before" },
  { title: "after the snapshots are forgotten", holds: " forget ", when: "after" },
];

describe("kill -9", { skip: skipSlow }, () => {
  let rig: ResticRig;

  before(async () => {
    rig = await startResticRig();
  });

  after(async () => {
    await rig.close();
  });

  /** A restic that writes its process id into a file at one stage, and goes on once that is gone. */
  async function heldRestic(name: string, { holds, when }: Stage): Promise<{ path: string; pidFile: string }> {
    const pidFile = join(rig.folder, `${name}.pid`);
    const hold = `if [ ! -e '${pidFile}.done' ]; then touch '${pidFile}.done'; echo $$ > '${pidFile}'; while [ -e '${pidFile}' ]; do sleep 0.02; done; fi`;
    const work = when === "before" ? `${hold}; exec "$RESTIC" "$@"` : `"$RESTIC" "$@"; code=$?; ${hold}; exit $code`;
    const path = await rig.script(name, `case " $* " in *'${holds}'*) ${work};; esac\nexec "$RESTIC" "$@"`);
    return { path, pidFile };
  }

  async function held(pidFile: string): Promise<number> {
    await until("restic was held", async () => existsSync(pidFile) && (await readFile(pidFile, "utf8")) !== "");
    return Number(await readFile(pidFile, "utf8"));
  }

  /** Looks from another process, which knows nothing. */
  async function look(bucket: string): Promise<Buffer | undefined> {
    const session = rig.start();
    const location = await rig.open(bucket, { session });
    const keys = await location.list();
    const isThere = await location.exists("object");
    assert.equal(isThere, keys.includes("object"));
    const content = isThere ? await location.get("object") : undefined;
    await session.close();
    return content;
  }

  /** The host starts a killed plugin again at its next call. */
  async function useAgain(location: Location): Promise<void> {
    await location.exists("object");
  }

  async function checkHealth(): Promise<void> {
    // Nothing runs any more. Without --remove-all a lock stays whose owner is a zombie: a restic that outlived the plugin
    // ends at its first word to it, and nobody waits for it.
    await rig.byHand("unlock", "--remove-all");
    await rig.byHand("check", "--read-data");
  }

  async function prepare(
    bucket: string,
    stage: Stage,
  ): Promise<{ location: Location; pidFile: string; session: Session }> {
    const { path, pidFile } = await heldRestic(bucket, stage);
    await (await rig.open(bucket)).put("object", former);
    const session = rig.start();
    return { location: await rig.open(bucket, { session, config: { resticPath: path } }), pidFile, session };
  }

  function kill(pid: number): void {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended on its own, since the plugin that held its pipes is gone.
    }
  }

  for (const [index, stage] of stages.entries())
    for (const victim of ["plugin", "plugin and restic", "restic"] as const)
      test(`of ${victim} ${stage.title} leaves the former object or the next, whole`, async () => {
        const bucket = `put-${index}-${victim.replaceAll(" ", "-")}`;
        const { location, pidFile, session } = await prepare(bucket, stage);
        const outcome = location.put("object", next).then(
          () => "stored",
          () => "failed",
        );
        const pid = await held(pidFile);

        if (victim !== "restic") killPlugin(session);
        if (victim !== "plugin") kill(pid);
        await rm(pidFile, { force: true });
        const told = await outcome;

        if (victim === "plugin") await until("restic went on without it", async () => !(await isRunning(pid)));
        const seen = await look(bucket);
        const isNext = seen?.equals(next) === true;
        assert.ok(isNext || seen?.equals(former) === true, `${seen?.length} bytes are visible`);
        if (told === "stored") assert.ok(isNext);
        if (stage.holds === "flotilla.io/data=" && victim !== "restic") assert.ok(!isNext);
        await useAgain(location);
        await checkHealth();
      });

  for (const [index, stage] of deletions.entries())
    for (const victim of ["plugin and restic", "restic"] as const)
      test(`of ${victim} ${stage.title} leaves the object whole, or none`, async () => {
        const bucket = `delete-${index}-${victim.replaceAll(" ", "-")}`;
        const { location, pidFile, session } = await prepare(bucket, stage);
        const outcome = location.store.deleteObject(location.at("object")).then(
          () => "deleted",
          () => "failed",
        );
        const pid = await held(pidFile);

        if (victim !== "restic") killPlugin(session);
        kill(pid);
        await rm(pidFile, { force: true });
        const told = await outcome;

        const seen = await look(bucket);
        assert.ok(seen === undefined || seen.equals(former));
        if (told === "deleted") assert.equal(seen, undefined);
        await useAgain(location);
        await checkHealth();
      });

  test("of restic in the middle of a body fails the put, leaves the former object, and the next put works", async () => {
    const pidFile = join(rig.folder, "middle.pid");
    const path = await rig.script(
      "middle",
      `case "$*" in *flotilla.io/data=*) echo $$ > '${pidFile}';; esac\nexec "$RESTIC" "$@"`,
    );
    await (await rig.open("middle")).put("object", former);
    const location = await rig.open("middle", { session: rig.start(), config: { resticPath: path } });
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 40; sent += 1) {
        if (sent === 20) process.kill(await held(pidFile), "SIGKILL");
        yield Buffer.alloc(1_000_000, sent);
      }
    }

    await assert.rejects(location.store.putObject(location.at("object"), body()), /ended by SIGKILL/);
    assert.deepEqual(await location.get("object"), former);
    await writeFile(pidFile, "");
    await location.put("object", next);
    assert.deepEqual(await look("middle"), next);
    await checkHealth();
  });
});

function killPlugin({ manager }: Session): void {
  for (const pid of manager.pids) process.kill(pid, "SIGKILL");
}

async function isRunning(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return state !== "" && !/\) Z /.test(state);
}
