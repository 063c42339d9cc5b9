import { expect } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { callsAtOnce } from "./calls-at-once.ts";
import { expectNotGone } from "./two-ways.ts";

/** A store that cannot be reached at all. The price of the retries is paid by all calls at once. */
export const unreachableTests: readonly ConformanceTest[] = [
  {
    id: "faults/unreachable/port-or-name",
    title: "every call ends in an error that does not say gone when nobody listens or the endpoint's name is unknown",
    rule: "unreachable-is-not-gone",
    kind: "ObjectStore",
    needs: ["network"],
    timeoutMs: 300_000,
    run: async (t) => {
      // A port that was free a moment ago may be somebody's by now; nobody listens at this one. RFC 6761 keeps the second
      // one's domain from ever resolving.
      const hosts = ["127.0.0.1:1", "store.invalid"];

      await Promise.all(hosts.map((host) => expectErrors(t, host)));
    },
  },
];

async function expectErrors(t: TestContext, host: string): Promise<void> {
  const name = t.fact(t.objectTarget.endpointKey, "endpointKey");
  const endpoint = new URL(t.fact(t.objectTarget.config[name], `config.${name}`));
  endpoint.port = "";
  endpoint.host = host;
  const text = endpoint.pathname === "/" ? endpoint.href.replace(/\/$/, "") : endpoint.href;
  const store = await t.openObjectStore({ config: { [name]: text }, mayWarn: true });

  const outcomes = await callsAtOnce(t, store);

  for (const [call, outcome] of outcomes) {
    expect(outcome !== "ok", `${call} succeeded though ${host} cannot be reached`);
    expectNotGone(outcome, `${call} at ${host}`);
  }
  expect(!store.session.hasExited, "the process ended");
}
