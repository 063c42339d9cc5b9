import { loopbackCertificate } from "@flotilla/sdk/testing";
import { velero } from "@flotilla/sdk/wire";

import { callUnary } from "../../plugin/call-unary.ts";
import { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { PluginSession } from "../../plugin/plugin-session.ts";
import { WireError } from "../../plugin/wire-error.ts";
import { expect, expectBytes, expectEqual, expectError, expectFailureNotAbsence } from "../../expect.ts";
import type { LocationConfig } from "../../target/target.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";

const unknownKey: LocationConfig = { conformanceUnknownKey: "x" };
const small = Buffer.from("small");

/** What Init refuses, and what it must not. */
export const initTests: readonly ConformanceTest[] = [
  {
    id: "object-store/init/refuses-an-unknown-key",
    title: "Init refuses an unknown key and names it",
    rule: "init-refuses-unknown-keys",
    kind: "ObjectStore",
    run: async (t) => {
      const error = await expectError(t.openObjectStore({ config: unknownKey }), "Init with an unknown key");

      expect(error.details.includes("conformanceUnknownKey"), `the key is not named in: ${error.details}`);
    },
  },
  {
    id: "object-store/init/refuses-wrong-configs",
    title: "Init refuses every wrong config that the target knows",
    rule: "init-refuses-wrong-values",
    kind: "ObjectStore",
    needs: ["invalid-configs"],
    run: async (t) => {
      const session = await t.start();
      const accepted: string[] = [];
      for (const [what, config] of invalidConfigs(t))
        if ((await initError(t, config, session)) === undefined) accepted.push(what);

      expectEqual(accepted, [], "the wrong configs that Init accepted");
    },
  },
  {
    id: "object-store/init/names-the-wrong-key",
    title: "what Init says of a wrong config names a key that is at fault",
    rule: "init-refuses-wrong-values",
    kind: "ObjectStore",
    needs: ["invalid-configs"],
    run: async (t) => {
      const session = await t.start();
      const unnamed: string[] = [];
      for (const [what, config] of invalidConfigs(t)) {
        const error = await initError(t, config, session);
        if (error !== undefined && !namesOneOf(error.details, Object.keys(config)))
          unnamed.push(`${what}: ${error.details}`);
      }

      expectEqual(unnamed, [], "what names no key of the wrong config");
    },
  },
  {
    id: "object-store/init/accepts-the-server-s-keys",
    title: "Init accepts the prefix and the caCert that the server adds",
    rule: "init-takes-server-keys",
    kind: "ObjectStore",
    run: async (t) => {
      const config = { prefix: t.key("location"), caCert: loopbackCertificate.cert };
      const store = await t.openObjectStore({ config });

      await store.put(t.key("location/backups/b/b.tar.gz"), small);

      expectBytes(await store.get(t.key("location/backups/b/b.tar.gz")), small, "the object");
    },
  },
  {
    id: "object-store/init/accepts-an-empty-prefix",
    title: "Init accepts the empty prefix of a location without one",
    rule: "init-takes-server-keys",
    kind: "ObjectStore",
    run: async (t) => {
      await t.openObjectStore({ config: { prefix: "" } });
    },
  },
  {
    id: "object-store/init/without-a-bucket",
    title: "a config without a bucket is refused by name or harms nobody",
    rule: "init-needs-a-bucket",
    kind: "ObjectStore",
    run: async (t) => {
      const session = await t.start();
      const { bucket: _, ...config } = t.objectTarget.config;
      for (const without of [config, { ...config, bucket: "" }]) {
        const error = await failureOf(ObjectStoreSession.open(session, t.provider, without));
        if (error !== undefined)
          expect(/bucket|container/i.test(error.details), `the bucket is not named in: ${error.details}`);
      }

      await expectStoreWorks(t, await t.openObjectStore({ session }));
    },
  },
  {
    id: "object-store/init/twice",
    title: "a second Init of the same location is accepted, and the location works",
    rule: "opens-several-times",
    kind: "ObjectStore",
    run: async (t) => {
      const session = await t.start();
      const former = await t.openObjectStore({ session });
      await former.put(t.key("object"), small);

      const latter = await t.openObjectStore({ session });

      expectBytes(await latter.get(t.key("object")), small, "the object of before");
    },
  },
  {
    id: "object-store/init/again-with-good-credentials",
    title: "a location that is initialised again with good credentials works",
    rule: "later-init-wins",
    kind: "ObjectStore",
    needs: ["authenticates"],
    run: async (t) => {
      const session = await t.start({ mayWarn: true });
      await failureOf(t.openObjectStore({ session, config: t.fact(t.objectTarget.denied, "denied") }));

      await expectStoreWorks(t, await t.openObjectStore({ session }));
    },
  },
  {
    id: "object-store/init/again-with-refused-credentials",
    title: "a location that is initialised again with refused credentials is refused",
    rule: "later-init-wins",
    kind: "ObjectStore",
    needs: ["authenticates"],
    run: async (t) => {
      const session = await t.start({ mayWarn: true });
      await expectStoreWorks(t, await t.openObjectStore({ session }));

      const config = t.fact(t.objectTarget.denied, "denied");
      const call = t.openObjectStore({ session, config }).then((store) => store.put(t.key("object"), small));

      await expectError(call, "a put after an Init with credentials that are refused");
    },
  },
  {
    id: "object-store/init/failed-leaves-the-others",
    title: "an Init that fails leaves the location that is open as it was",
    rule: "failed-init-harms-nobody",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await initError(t, unknownKey, store.session);

      await expectStoreWorks(t, store);
    },
  },
  {
    id: "object-store/init/call-before-it",
    title: "a call before Init is an error, and the process goes on",
    rule: "call-before-init",
    kind: "ObjectStore",
    run: async (t) => {
      const session = await t.start({ mayWarn: true });
      const request = { plugin: t.provider, bucket: t.objectTarget.config["bucket"] ?? "", key: t.key("object") };

      await expectFailureNotAbsence(
        callUnary(session, velero.ObjectStore.method.objectExists, request),
        "ObjectExists before Init",
      );

      await expectStoreWorks(t, await t.openObjectStore({ session }));
    },
  },
];

function invalidConfigs(t: TestContext): readonly (readonly [string, LocationConfig])[] {
  return Object.entries({ "a key that nobody has": unknownKey, ...t.objectTarget.invalid });
}

async function initError(
  t: TestContext,
  config: LocationConfig,
  session: PluginSession,
): Promise<WireError | undefined> {
  return await failureOf(t.openObjectStore({ session, config }));
}

async function failureOf(call: Promise<unknown>): Promise<WireError | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

// "s3 url" names s3Url well enough for a person.
function namesOneOf(text: string, keys: readonly string[]): boolean {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return keys.some((key) => plain(text).includes(plain(key)));
}

async function expectStoreWorks(t: TestContext, store: ObjectStoreSession): Promise<void> {
  await store.put(t.key("works"), small);
  expectBytes(await store.get(t.key("works")), small, "the object");
}
