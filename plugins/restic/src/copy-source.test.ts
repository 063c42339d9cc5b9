import assert from "node:assert/strict";
import { test } from "node:test";

import { PluginError } from "@flotilla/sdk/plugin";

import { copySource, requireOneIdentity } from "./copy-source.ts";
import type { ReachedRepository } from "./copy-source.ts";
import { parseRepository } from "./repository-location.ts";

interface Reached {
  readonly environment?: Readonly<Record<string, string>>;
  readonly passwordArgs?: readonly string[];
  readonly passwordEnvironment?: Readonly<Record<string, string>>;
  readonly descriptor?: number;
}

function reached(address: string, options: Reached = {}): ReachedRepository {
  const { environment = {}, passwordArgs = [], passwordEnvironment = {}, descriptor } = options;
  const password = {
    args: passwordArgs,
    environment: passwordEnvironment,
    descriptor,
    close: () => Promise.resolve(),
  };
  return {
    location: parseRepository(address),
    access: { environment: { ...environment, ...passwordEnvironment }, password, cacheFolder: "/cache" },
  };
}

const s3 = { AWS_ACCESS_KEY_ID: "key-1", AWS_SECRET_ACCESS_KEY: "x" };

test("the source's address and password go by names of their own, and no secret by the command line", () => {
  const from = reached("rest:https://u:secret@a/", { passwordEnvironment: { RESTIC_PASSWORD_COMMAND: "print one" } });
  const to = reached("/b", { passwordEnvironment: { RESTIC_PASSWORD_COMMAND: "print other" } });
  assert.deepEqual(copySource(from, to), {
    environment: {
      RESTIC_FROM_REPOSITORY: "rest:https://u:secret@a/",
      RESTIC_FROM_PASSWORD_COMMAND: "print one",
      RESTIC_PASSWORD_COMMAND: "print other",
    },
    args: [],
    descriptor: undefined,
  });
});

test("a password file is named again, and an inherited one gets the second descriptor", () => {
  const to = reached("/b");
  const byFile = copySource(reached("/a", { passwordArgs: ["--password-file", "/p"] }), to);
  assert.deepEqual([byFile.args, byFile.descriptor], [["--from-password-file", "/p"], undefined]);
  const inherited = reached("/a", { passwordArgs: ["--password-file", "/dev/fd/3"], descriptor: 17 });
  const byDescriptor = copySource(inherited, to);
  assert.deepEqual([byDescriptor.args, byDescriptor.descriptor], [["--from-password-file", "/dev/fd/4"], 17]);
});

test("stores of two kinds get the variables of both", () => {
  const from = reached("s3:s3.amazonaws.com/a", { environment: s3 });
  const to = reached("azure:b:/", { environment: { AZURE_ACCOUNT_NAME: "n" } });
  requireOneIdentity(from, to);
  assert.deepEqual(copySource(from, to).environment, {
    ...s3,
    AZURE_ACCOUNT_NAME: "n",
    RESTIC_FROM_REPOSITORY: "s3:s3.amazonaws.com/a",
  });
});

test("one region of AWS counts for both only where both have it", () => {
  const named = (address: string, region?: string): ReachedRepository =>
    reached(address, { environment: { ...s3, ...(region === undefined ? {} : { AWS_DEFAULT_REGION: region }) } });
  const regionOf = (from: ReachedRepository, to: ReachedRepository): string | undefined => {
    requireOneIdentity(from, to);
    return copySource(from, to).environment["AWS_DEFAULT_REGION"];
  };
  assert.equal(regionOf(named("s3:x/a", "eu-west-1"), named("s3:x/b", "eu-west-1")), "eu-west-1");
  assert.equal(regionOf(named("s3:x/a", "eu-west-1"), named("s3:x/b", "eu-north-1")), undefined);
  assert.equal(regionOf(named("s3:x/a", "eu-west-1"), named("s3:x/b")), undefined);
});

test("two identities for one kind of store are refused by the names of the variables, never their values", () => {
  const from = reached("s3:x/a", { environment: s3 });
  const to = reached("s3:x/b", { environment: { ...s3, AWS_ACCESS_KEY_ID: "key-2" } });
  assert.throws(
    () => {
      requireOneIdentity(from, to);
    },
    (error) =>
      error instanceof PluginError &&
      error.kind === "invalid-config" &&
      error.message.includes("(AWS_ACCESS_KEY_ID)") &&
      !/key-/.test(error.message),
  );
});
