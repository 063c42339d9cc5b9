import { bodyStream } from "../../bodies.ts";
import { expect, expectError } from "../../expect.ts";
import type { Capability, LocationConfig } from "../../target/target.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";

const mebibyte = 1024 ** 2;
const sizeBytes = 64 * mebibyte;

interface Failure {
  readonly name: string;
  readonly where: string;
  readonly needs: Capability;
  readonly config: (t: TestContext) => LocationConfig;
}

const failures: readonly Failure[] = [
  {
    name: "missing-bucket",
    where: "into a missing bucket",
    needs: "missing-bucket",
    config: (t) => ({ bucket: t.fact(t.objectTarget.missingBucket, "missingBucket") }),
  },
  {
    name: "denied",
    where: "with refused credentials",
    needs: "authenticates",
    config: (t) => t.fact(t.objectTarget.denied, "denied"),
  },
];

/** A put that fails tells why. */
export const putFailureTests: readonly ConformanceTest[] = failures.flatMap(({ name, where, needs, config }) => [
  {
    id: `object-store/put-failure/${name}-small`,
    title: `a small put ${where} fails with more than "EOF"`,
    rule: "put-reports-its-reason",
    kind: "ObjectStore",
    needs: [needs],
    run: async (t) => {
      const store = await t.openObjectStore({ config: config(t), mayWarn: true });

      const error = await expectError(store.put(t.key("object"), Buffer.from("small")), `a put ${where}`);

      expect(!/^(EOF)?$/.test(error.details.trim()), `there is no reason in: ${error.message}`);
    },
  },
  {
    id: `object-store/put-failure/${name}-large`,
    title: `the reason of a put of 64 MiB ${where} arrives after the whole stream was read`,
    rule: "put-reports-its-reason",
    kind: "ObjectStore",
    needs: [needs],
    run: async (t) => {
      const store = await t.openObjectStore({ config: config(t), mayWarn: true });
      const read = { bytes: 0 };

      const error = await expectError(store.put(t.key("object"), counted(name, read)), `a put ${where}`);

      expect(
        read.bytes === sizeBytes,
        `the answer came when ${read.bytes} of ${sizeBytes} bytes were read, so that the server says only "EOF": ${error.message}`,
      );
      expect(!/^(EOF)?$/.test(error.details.trim()), `there is no reason in: ${error.message}`);
    },
  },
]);

async function* counted(seed: string, read: { bytes: number }): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of bodyStream(seed, sizeBytes, 16_384)) {
    read.bytes += piece.length;
    yield piece;
  }
}
