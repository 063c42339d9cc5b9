import { access } from "node:fs/promises";

import { bodyOf } from "../../bodies.ts";
import { expect, expectEqual } from "../../expect.ts";
import type { ObservedEnd } from "../../plugin/observations.ts";
import type { ConformanceTest } from "../../test.ts";
import { expectPromptEnd } from "./prompt-end.ts";
import { useEverything } from "./whole-session.ts";

/** What fits into one frame with the names beside it. */
const messageBytes = 8 * 1024;

/** How a process leaves when it is told to. */
export const shutdownTests: readonly ConformanceTest[] = [
  {
    id: "process/shutdown/prompt",
    title: "a process that has worked ends within two seconds of Shutdown",
    rule: "shutdown-is-prompt",
    run: async (t) => {
      await expectPromptEnd(t, async () => {
        const session = await t.start();
        await useEverything(t, session);
        return session;
      });
    },
  },
  {
    id: "process/shutdown/code-zero",
    title: "a process that has worked ends with code 0",
    rule: "exits-with-zero",
    run: async (t) => {
      const session = await t.start();
      await useEverything(t, session);

      expectZero(await session.shutdown());
    },
  },
  {
    id: "process/shutdown/unused",
    title: "a process of which nothing was asked ends within two seconds and with code 0",
    rule: "shutdown-is-prompt",
    run: async (t) => {
      expectZero(await expectPromptEnd(t, () => t.start()));
    },
  },
  {
    id: "process/shutdown/put-under-way",
    title: "a process with a put under way ends within two seconds and with code 0",
    rule: "shutdown-is-prompt",
    kind: "ObjectStore",
    run: async (t) => {
      const end = await expectPromptEnd(t, async () => {
        const store = await t.openObjectStore();
        const put = await store.openRawPut();
        t.own(async () => put[Symbol.dispose]());
        put.send([store.putMessage(t.key("unfinished"), bodyOf("unfinished", messageBytes))]);
        await store.exists(t.key("unfinished"));
        return store.session;
      });

      expectZero(end);
    },
  },
  {
    id: "process/shutdown/socket-is-removed",
    title: "a process that ended leaves no socket behind",
    rule: "removes-its-socket",
    run: async (t) => {
      const session = await t.start();
      await session.listPlugins();

      await session.shutdown();

      const { network, address } = session.handshake;
      if (network !== "unix") return;
      const isThere = await access(address).then(
        () => true,
        () => false,
      );
      expect(!isThere, `${address} is still there`);
    },
  },
  {
    id: "process/shutdown/every-process",
    title: "every process of this run that was told to end did so within two seconds and with code 0",
    rule: "exits-with-zero",
    runsLast: true,
    run: async (t) => {
      const session = await t.start();
      await useEverything(t, session);
      await session.dispose();

      for (const { testId, end } of t.observations.records) {
        if (end === undefined) continue;
        expectEqual(end.signal, undefined, `in ${testId}: the signal that ended it after ${Math.round(end.tookMs)} ms`);
        expectEqual(end.exitCode, 0, `in ${testId}: the exit code`);
      }
    },
  },
];

function expectZero({ exitCode, signal }: ObservedEnd): void {
  expectEqual(exitCode ?? signal, 0, "the exit code");
}
