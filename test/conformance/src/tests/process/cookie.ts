import { expect, expectEqual } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { runByHand } from "./raw-process.ts";

/** Who may start the executable. */
export const cookieTests: readonly ConformanceTest[] = [
  {
    id: "process/cookie/absent",
    title: "run by hand, without the magic cookie, it explains itself and ends with a code that is not zero",
    rule: "refuses-without-cookie",
    run: async (t) => judgeHandRun(t, {}),
  },
  {
    id: "process/cookie/wrong-value",
    title: "with another value of the magic cookie it is no plugin of this host",
    rule: "refuses-without-cookie",
    run: async (t) => judgeHandRun(t, { VELERO_PLUGIN: "goodbye" }),
  },
];

async function judgeHandRun(t: TestContext, cookie: Readonly<Record<string, string>>): Promise<void> {
  const { VELERO_PLUGIN: _cookie, ...env } = t.target.env;

  const { exitCode, stdout, stderr } = await runByHand(t, { ...env, ...cookie });

  expect(exitCode !== undefined, "it neither ended nor said that it waits for a host");
  expect(exitCode !== 0, "it ended with code 0, as if it had done something");
  expectEqual(stdout, "", "what it wrote to stdout");
  expect(/plugin/i.test(stderr), `stderr does not say that it is a plugin: ${JSON.stringify(stderr.slice(0, 200))}`);
}
