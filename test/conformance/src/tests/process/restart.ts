import { bodyOf } from "../../bodies.ts";
import { expectBytes } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";

/** What happens after a process died. */
export const restartTests: readonly ConformanceTest[] = [
  {
    id: "process/restart/works-after-the-same-init",
    title: "a process that replaces a killed one works after the same Init",
    rule: "restarts",
    kind: "ObjectStore",
    run: async (t) => {
      const first = await t.openObjectStore();
      await first.put(t.key("before"), bodyOf("before", 1000));
      await first.session.kill();

      const second = await t.openObjectStore();

      await second.put(t.key("after"), bodyOf("after", 1000));
      expectBytes(await second.get(t.key("after")), bodyOf("after", 1000), "the object");
    },
  },
  {
    id: "process/restart/finds-what-was-stored",
    title: "a process that replaces a killed one finds what that one had stored",
    rule: "restarts",
    kind: "ObjectStore",
    needs: ["durable"],
    run: async (t) => {
      const first = await t.openObjectStore();
      await first.put(t.key("before"), bodyOf("before", 1000));
      await first.session.kill();

      const second = await t.openObjectStore();

      expectBytes(await second.get(t.key("before")), bodyOf("before", 1000), "the object");
    },
  },
];
