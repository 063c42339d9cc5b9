import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import type { Call } from "@flotilla/sdk/plugin";
import { LockObserver } from "./lock-observer.ts";

const minute = 60_000;
const start = Date.parse("2026-11-27T12:00:00Z");
const call: Call = {
  signal: new AbortController().signal,
  log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
};

let folder = "";
let now = start;
/** As restic prints them. */
let locks: Record<string, { time: string; hostname: string; exclusive: boolean }> = {};
let asked: string[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "locks-"));
});

beforeEach(async () => {
  await rm(join(folder, "flotilla-locks"), { force: true });
  now = start;
  asked = [];
});

after(async () => {
  await rm(folder, { recursive: true });
});

/** Each look is another process's. */
async function doubt(): Promise<string | undefined> {
  const ask = async (args: readonly string[]): Promise<string | undefined> => {
    asked.push(args.join(" ").slice(0, 12));
    const lock = locks[args[2] ?? ""];
    if (args[0] === "list") return `repository opened\n${Object.keys(locks).join("\n")}\n`;
    return lock === undefined ? undefined : JSON.stringify(lock);
  };
  return await new LockObserver(folder, { now: () => now }, ask).doubtfulHost(call);
}

function lock(digit: string, host: string, minutesAgo: number): typeof locks {
  const time = new Date(start - minutesAgo * minute).toISOString();
  return { [digit.repeat(64)]: { time, hostname: host, exclusive: true } };
}

test("a lock that another host replaces keeps its repository, however old its clock makes it", async () => {
  for (let look = 0; look < 8; look += 1) {
    locks = lock(look.toString(16), "behind", 40);
    assert.equal(await doubt(), "behind");
    now += 5 * minute;
  }
});

test("a lock of another host that stays the same for ten minutes is stale, and is read once", async () => {
  locks = lock("a", "gone", 40);
  assert.equal(await doubt(), "gone");
  now += 9 * minute;
  assert.equal(await doubt(), "gone");
  now += minute;
  assert.equal(await doubt(), undefined);
  assert.equal(asked.filter((args) => args.startsWith("cat")).length, 1);
});

test("locks of this host, and those that restic leaves alone, are in no doubt", async () => {
  locks = { ...lock("a", hostname(), 40), ...lock("b", "alive", 4) };
  assert.equal(await doubt(), undefined);
});

test("a clock that was set back begins to watch anew", async () => {
  locks = lock("a", "gone", 400);
  assert.equal(await doubt(), "gone");
  now -= 60 * minute;
  assert.equal(await doubt(), "gone");
  now += 11 * minute;
  assert.equal(await doubt(), undefined);
});
