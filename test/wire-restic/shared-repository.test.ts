import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { bytesOf, inChunks } from "../wire/bytes.ts";
import type { Location } from "../wire/location.ts";
import { until } from "../wire/until.ts";
import { skip, startResticRig } from "./restic-rig.ts";
import type { ResticRig } from "./restic-rig.ts";

// What several processes do to one repository, and what is left when one of them ends in the middle.

describe("a repository that several processes use", { skip }, () => {
  let rig: ResticRig;

  before(async () => {
    rig = await startResticRig();
  });

  after(async () => {
    await rig.close();
  });

  /** Lets each put an object into a repository that is not there, and answers who could. */
  async function putAtOnce(locations: readonly Location[]): Promise<readonly string[]> {
    const puts = locations.map(async (location, index) => await location.put(`key-${index}`, Buffer.from(`${index}`)));
    return (await Promise.allSettled(puts)).map((put) => (put.status === "fulfilled" ? "stored" : String(put.reason)));
  }

  test("is made once, by one of the processes that find none at the same moment", async () => {
    const repository = join(rig.folder, "made-at-once");
    const config = { repository, initialize: "true" };
    const locations = await Promise.all(
      [0, 1, 2].map(async () => await rig.open("bucket", { session: rig.start(), config })),
    );

    assert.deepEqual(await putAtOnce(locations), ["stored", "stored", "stored"]);
    for (const location of locations) assert.deepEqual((await location.list()).toSorted(), ["key-0", "key-1", "key-2"]);
    assert.deepEqual((await readdir(join(repository, "keys"))).length, 1);
  });

  test("is one where two hosts make it in a folder at the same moment, and nothing else is left there", async () => {
    // Under two names, so that nothing in this machine has them take turns.
    const [place, same] = [join(rig.folder, "two-hosts"), `${rig.folder}/./two-hosts`];
    const locations = await Promise.all(
      [place, same, place, same].map(async (repository) => {
        return await rig.open("bucket", { session: rig.start(), config: { repository, initialize: "true" } });
      }),
    );

    assert.deepEqual(await putAtOnce(locations), Array(4).fill("stored"));
    const seen = await rig.open("bucket", { session: rig.start(), config: { repository: place } });
    for (const index of locations.keys()) assert.equal(String(await seen.get(`key-${index}`)), `${index}`);
    assert.deepEqual((await readdir(place)).toSorted(), ["config", "data", "index", "keys", "locks", "snapshots"]);
    assert.equal((await readdir(join(place, "keys"))).length, 1);
  });

  test("a forget that outlives its plugin takes its lock out, so that no backup waits for that", async () => {
    const location = await rig.open("outlived");
    await location.put("key", Buffer.from("x"));
    const pidFile = join(rig.folder, "forget.pid");
    const resticPath = await rig.script(
      "held-forget",
      `case " $* " in *' forget '*) echo $$ > '${pidFile}'; while [ -e '${pidFile}' ]; do sleep 0.02; done;; esac\nexec "$RESTIC" "$@"`,
    );
    const session = rig.start();
    const other = await rig.open("outlived", { session, config: { resticPath } });
    const outcome = other.store.deleteObject(other.at("key")).catch(() => "failed");
    await until("restic was held", async () => existsSync(pidFile) && (await readFile(pidFile, "utf8")) !== "");
    const pid = Number(await readFile(pidFile, "utf8"));

    for (const plugin of session.manager.pids) process.kill(plugin, "SIGKILL");
    await outcome;
    await rm(pidFile);
    await until("restic ended", async () => {
      const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      return state === "" || /\) Z /.test(state);
    });

    // The host starts a killed plugin again at its next call.
    await other.exists("key");
    assert.deepEqual(await readdir(join(rig.repository, "locks")), []);
    assert.equal(await location.exists("key"), false);
  });

  test("a delete that restic passes over, because it cannot read the snapshot, is no success", async () => {
    const location = await rig.open("unread");
    await location.put("key", Buffer.from("x"));
    const id = (await rig.snapshots()).find(({ tags }) => tags?.includes("flotilla.io/bucket=unread"))?.id ?? "";
    const file = join(rig.repository, "snapshots", id);
    const kept = await readFile(file);
    const resticPath = await rig.script(
      "unreadable-forget",
      `case " $* " in *' forget '*) rm -f '${file}'; head -c 200 /dev/urandom > '${file}'; set -- "$@" --no-cache;; esac\nexec "$RESTIC" "$@"`,
    );
    const other = await rig.open("unread", { session: rig.start(), config: { resticPath } });
    try {
      await assert.rejects(
        other.store.deleteObject(other.at("key")),
        /delete object "key".*could not forget a snapshot/,
      );
    } finally {
      await rm(file, { force: true });
      await writeFile(file, kept);
    }
  });

  test("snapshots of others stay, whatever their tags and the labels of their backup are called", async () => {
    const tags = [
      "flotilla.io/data=1,flotilla.io/volume-snapshot=volume-1,flotilla.io/volume-folder=a",
      "flotilla.io/object=1",
      "flotilla.io/deleted=,flotilla.io/key=%,flotilla.io/bucket=x,flotilla.io/order=1",
      "backup=b,ns=n,pod=p,volume=v",
    ];
    const add = async (tag: string): Promise<string> =>
      await rig.byHand("backup", "--time", "2020-01-01 00:00:00", "--tag", tag, join(rig.folder, "password"));
    for (const tag of tags) await add(tag);
    const before = (await rig.snapshots()).length;
    await add("flotilla.io/data=loose,flotilla.io/bucket=others,flotilla.io/key=key");
    const loose = (await rig.snapshots()).find(({ tags }) => tags?.includes("flotilla.io/data=loose"));
    const file = join(rig.repository, "snapshots", loose?.id ?? "");
    const location = await rig.open("others", { session: rig.start() });
    await location.put("key", Buffer.from("x"));
    // Not by a restic, whose lock would be in the way.
    await until("what never became an object was removed", () => !existsSync(file));
    await location.store.deleteObject(location.at("key"));

    assert.equal((await rig.snapshots()).length, before);
  });

  test("files in its folder that are no snapshots do not cost a listing for each call", async () => {
    const seen = join(rig.folder, "listings");
    const resticPath = await rig.script("counting", `echo "$1" >> '${seen}'\nexec "$RESTIC" "$@"`);
    const location = await rig.open("junk", { session: rig.start(), config: { resticPath } });
    const leftBehind = join(rig.repository, "snapshots", `${"0".repeat(64)}-tmp-123`);
    await writeFile(leftBehind, "");
    try {
      await location.list();
      await location.list();
      await location.list();
    } finally {
      await rm(leftBehind);
    }

    const commands = (await readFile(seen, "utf8")).split("\n").filter((line) => line === "snapshots");
    assert.equal(commands.length, 1);
  });

  test("a get under which a prune takes a pack away goes on from where it is", async () => {
    const object = bytesOf(6_000_000, "large");
    const mark = join(rig.folder, "dumped");
    const failing = `{ "$RESTIC" "$@" | head -c 3000000; echo 'Fatal: cannot dump file: not found in the index' >&2; exit 1; }`;
    const resticPath = await rig.script(
      "pruned",
      `if [ "$1" = dump ] && [ ! -e '${mark}' ]; then touch '${mark}'; ${failing}; fi\nexec "$RESTIC" "$@"`,
    );
    const location = await rig.open("pruned", { session: rig.start(), config: { resticPath } });
    await location.put("key", object);

    assert.deepEqual(await location.get("key"), object);
    await rm(mark);
    const unreadable = await rig.script("broken", `[ "$1" = dump ] && ${failing}\nexec "$RESTIC" "$@"`);
    const other = await rig.open("pruned", { session: rig.start(), config: { resticPath: unreadable } });
    await assert.rejects(other.get("key"), /the repository is damaged/);
  });

  test("a password in its address is in no message, also where the address is malformed", async () => {
    for (const [user, secret] of [
      ["user:s3cr%t", "s3cr%t"],
      ["user:se/cret", "se/cret"],
      ["user:se@cret", "cret"],
    ] as const) {
      const repository = `rest:http://${user}@127.0.0.1:1/`;
      const { manager, lines } = rig.start();
      const store = manager.getObjectStore("flotilla.io/restic");
      const resticPath = await rig.script("impatient", `exec timeout -s INT 5 "$RESTIC" "$@"`);
      const error = await store
        .init({ ...rig.configOf("bucket"), repository, resticPath })
        .then(async () => await store.listObjects({ bucket: "bucket", prefix: "" }))
        .then(
          () => assert.fail("nobody answers there"),
          (reason: unknown) => String(reason),
        );
      assert.ok(!`${error}${JSON.stringify(lines)}`.includes(secret), error);
    }
  });

  test("a password with a # in the credentials file is taken whole", async () => {
    const credentialsFile = join(rig.folder, "hash");
    await writeFile(credentialsFile, "RESTIC_PASSWORD=correct#horse\n");
    const repository = join(rig.folder, "hashed");
    const { passwordFile: _, ...config } = rig.configOf("bucket", { credentialsFile, repository, initialize: "true" });
    const store = rig.start().manager.getObjectStore("flotilla.io/restic");
    await store.init(config);
    await store.putObject({ bucket: "bucket", key: "first" }, inChunks(Buffer.from("x")));

    const passwordFile = join(rig.folder, "hash-password");
    await writeFile(passwordFile, "correct#horse");
    const location = await rig.open("bucket", { session: rig.start(), config: { repository, passwordFile } });
    await location.put("key", bytesOf(100, "x"));
  });
});
