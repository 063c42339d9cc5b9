import { absenceWordIn, WireError } from "../../plugin/wire-error.ts";
import { expect, expectError, expectFailureNotAbsence, fail } from "../../expect.ts";
import type { RuleId } from "../../rules/index.ts";
import type { Capability, LocationConfig } from "../../target/target.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { getObject, idOf, objectExists, otherCalls } from "./object-calls.ts";
import type { ObjectCall } from "./object-calls.ts";

/** A location that cannot work, though nothing is missing in it. */
interface Situation {
  readonly name: string;
  readonly words: string;
  readonly needs: readonly Capability[];
  readonly config: (t: TestContext) => LocationConfig;
  readonly rule: RuleId;
  /** Where ObjectExists is held to another rule than the rest. */
  readonly existsRule: RuleId;
}

const situations: readonly Situation[] = [
  {
    name: "denied",
    words: "with refused credentials",
    needs: ["authenticates"],
    config: (t) => t.fact(t.objectTarget.denied, "denied"),
    rule: "refused-is-an-error",
    existsRule: "refused-is-an-error",
  },
  {
    name: "missing-bucket",
    words: "in a missing bucket",
    needs: ["missing-bucket"],
    config: (t) => ({ bucket: t.fact(t.objectTarget.missingBucket, "missingBucket") }),
    rule: "missing-bucket-is-an-error",
    existsRule: "exists-needs-its-bucket",
  },
];

/** What fails for another reason than an object that is gone, and what it says. */
export const failuresTests: readonly ConformanceTest[] = [
  ...situations.flatMap((situation) => [
    ...[getObject, ...otherCalls].map((call) => isAnError(situation, call, situation.rule)),
    isAnError(situation, objectExists, situation.existsRule),
    doesNotSayGone(situation, getObject, "failures-do-not-say-gone"),
    ...[objectExists, ...otherCalls].map((call) => doesNotSayGone(situation, call, "other-failures-do-not-say-gone")),
    opensNothing(situation),
  ]),
  {
    id: "object-store/failures/missing-credentials-file",
    title: "a credentials file that is missing is an error that does not say gone",
    rule: "failures-do-not-say-gone",
    kind: "ObjectStore",
    needs: ["authenticates"],
    run: async (t) => {
      const config = { credentialsFile: "/tmp/credentials/conformance/no-such-file" };
      const call = t.openObjectStore({ config, mayWarn: true }).then((store) => store.get(t.key("b.tar.gz")));

      await expectFailureNotAbsence(call, "a get with a credentials file that is missing");
    },
  },
];

function isAnError(situation: Situation, call: ObjectCall, rule: RuleId): ConformanceTest {
  return {
    id: `object-store/failures/${situation.name}-${idOf(call)}`,
    title: `${call.name} ${situation.words} is an error`,
    rule,
    kind: "ObjectStore",
    needs: situation.needs,
    run: async (t) => {
      await expectError(attempt(t, situation, call), `${call.name} ${situation.words}`);
    },
  };
}

function doesNotSayGone(situation: Situation, call: ObjectCall, rule: RuleId): ConformanceTest {
  return {
    id: `object-store/failures/${situation.name}-${idOf(call)}-words`,
    title: `what ${call.name} says ${situation.words} is not that the object is gone`,
    rule,
    kind: "ObjectStore",
    needs: situation.needs,
    run: async (t) => {
      const error = await attempt(t, situation, call).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );

      if (error !== undefined && !(error instanceof WireError)) throw error;
      const word = error === undefined ? undefined : absenceWordIn(error.message);
      expect(word === undefined, `"${word}", which the server reads as "gone", is in: ${error?.message ?? ""}`);
    },
  };
}

/** Signing may be done without the store, but what was signed must not open anything. */
function opensNothing(situation: Situation): ConformanceTest {
  return {
    id: `object-store/failures/${situation.name}-create-signed-url`,
    title: `a URL that was signed ${situation.words} opens nothing, and an error does not say gone`,
    rule: situation.rule,
    kind: "ObjectStore",
    needs: [...situation.needs, "signed-urls"],
    run: async (t) => {
      const good = await t.openObjectStore();
      await good.put(t.key("object"), Buffer.from("secret"));
      const signing = attempt(t, situation, {
        name: "CreateSignedURL",
        make: (store, key) => store.signUrl(key, 600),
      });
      const url = await signing.catch((error: unknown) => {
        if (!(error instanceof WireError)) throw error;
        if (absenceWordIn(error.message) !== undefined) fail(`the error says "gone": ${error.message}`);
        return undefined;
      });

      if (typeof url !== "string") return;
      const answer = await fetch(url);
      await answer.body?.cancel();
      expect(!answer.ok, `the URL was answered with ${answer.status}`);
    },
  };
}

// A plugin may find out at Init already.
async function attempt(t: TestContext, situation: Situation, call: ObjectCall): Promise<unknown> {
  const store = await t.openObjectStore({ config: situation.config(t), mayWarn: true });
  return await call.make(store, t.key("object"));
}
