import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { startEc2 } from "@flotilla/test/emulators";

import { absenceWords } from "./absence.ts";
import { failureOf } from "./bytes.ts";
import { credentialsText, owner } from "./harness.ts";
import { startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());

const goodToken = webIdentityToken(3600);
const roleArn = "arn:aws:iam::123456789012:role/velero";
const sts = await startEc2({
  stateDir: join(rig.folder, "sts"),
  accounts: rig.accounts,
  roles: [{ arn: roleArn, trusts: [owner.accessKeyId], webIdentityTokens: [goodToken] }],
});
rig.own(sts);
const stsEndpoint = { AWS_ENDPOINT_URL_STS: sts.url };

/** A token as Kubernetes projects it into a pod; the stand-in knows it whole and looks at its expiry only. */
function webIdentityToken(secondsLeft: number): string {
  const claims = { sub: "system:serviceaccount:velero:velero", exp: Math.floor(Date.now() / 1000) + secondsLeft };
  return ["{}", JSON.stringify(claims), "signature"].map((part) => Buffer.from(part).toString("base64url")).join(".");
}

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(rig.folder, name);
  await writeFile(path, text);
  return path;
}

/** Who made the requests for a bucket, by the beginning of the access key: AKIA is a user, ASIA a session of a role. */
function callersOf(bucket: string): readonly string[] {
  const keys = rig
    .requestsOf(bucket)
    .map(({ headers }) => /Credential=(\w{4})/.exec(headers.get("authorization") ?? ""));
  return [...new Set(keys.map((match) => match?.[1] ?? "nobody"))];
}

describe("roles", { concurrency: true, timeout: 240_000 }, () => {
  test("a profile that may not assume its role fails the opening and names the role's permission", async () => {
    const stranger = { accessKeyId: "AKIASTRANGER", secretAccessKey: "stranger" };
    rig.accounts.add(stranger);
    const text = `${credentialsText(stranger, "base")}[default]\nrole_arn = ${roleArn}\nsource_profile = base\n`;
    const config = { credentialsFile: await fileOf("stranger", text) };

    const error = await failureOf(rig.open("untrusted-role", { session: rig.start(stsEndpoint), config }));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /sts:AssumeRole/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("a profile of the location's file assumes its role through another profile", async () => {
    const text = `${credentialsText(owner, "base")}[default]\nrole_arn = ${roleArn}\nsource_profile = base\n`;
    const config = { credentialsFile: await fileOf("role", text) };
    const location = await rig.open("assumed-role", { session: rig.start(stsEndpoint), config });

    assert.deepEqual(await location.list(), []);
    assert.deepEqual(callersOf("assumed-role"), ["ASIA"]);
  });

  test("an expired web identity token is denied and no absence", async () => {
    const tokenFile = await fileOf("expired-token", webIdentityToken(-60));
    const env = { ...stsEndpoint, AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile };
    const location = await rig.open("expired-identity", { session: rig.start(env), config: { credentialsFile: "" } });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "denied");
    assert.match(error.message, /expired/i);
    assert.doesNotMatch(error.message, absenceWords);
  });

  const otherArn = "arn:aws:iam::123456789012:role/other";
  for (const [what, bucket, arn, token, remedy] of [
    ["a role that does not trust the pod", "distrusted-pod", otherArn, goodToken, /trust policy/],
    ["a pod's token that IAM does not take", "odd-token", roleArn, "no JWT", /OIDC provider.*trust policy/],
  ] as const)
    test(`${what} is told as such, and not as a permission of the bucket`, async () => {
      const tokenFile = await fileOf(bucket, token);
      const env = { ...stsEndpoint, AWS_ROLE_ARN: arn, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile };
      const location = await rig.open(bucket, { session: rig.start(env), config: { credentialsFile: "" } });

      const error = await failureOf(location.list());

      assert.equal(error.kind, "denied");
      assert.match(error.message, /web identity .*role\/(other|velero)/);
      assert.match(error.message, remedy);
      assert.doesNotMatch(error.message, /s3:ListBucket/);
    });

  test("STS that cannot be reached is told as such, and not as the bucket's endpoint", async () => {
    const tokenFile = await fileOf("unused-token", goodToken);
    const nowhere = { AWS_ENDPOINT_URL_STS: "http://127.0.0.1:9", AWS_MAX_ATTEMPTS: "1" };
    const env = { ...nowhere, AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile };
    const location = await rig.open("no-sts", { session: rig.start(env), config: { credentialsFile: "" } });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /web identity .*refused the connection/);
  });

  test("the pod's web identity (IRSA) is used where the location names no file", async () => {
    const tokenFile = await fileOf("good-token", goodToken);
    const env = { ...stsEndpoint, AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile };
    const location = await rig.open("web-identity", { session: rig.start(env), config: { credentialsFile: "" } });

    assert.deepEqual(await location.list(), []);
    assert.deepEqual(callersOf("web-identity"), ["ASIA"]);
  });

  test("one process serves a location by its file and another by the pod's web identity", async () => {
    const tokenFile = await fileOf("both-token", goodToken);
    const session = rig.start({ ...stsEndpoint, AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile });
    const byFile = await rig.open("by-file", { session });
    const byPod = await rig.open("by-pod", { session, config: { credentialsFile: "" } });

    for (const location of [byFile, byPod, byFile]) await location.list();

    assert.deepEqual([callersOf("by-file"), callersOf("by-pod")], [["AKIA"], ["ASIA"]]);
  });

  test("the pod's identity of EKS (container credentials) is used where the location names no file", async () => {
    const agent = createServer((request, response) => {
      const isPod = request.headers.authorization === "the-pod";
      const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = owner;
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      response.writeHead(isPod ? 200 : 403, { "content-type": "application/json" });
      response.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token: "", Expiration }));
    });
    await new Promise<void>((resolve) => void agent.listen(0, "127.0.0.1", resolve));
    rig.own({ close: async () => agent.close().closeAllConnections() });
    // A listening TCP server has an address of this form.
    const { port } = agent.address() as AddressInfo;
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: await fileOf("pod-token", "the-pod"),
    };
    const location = await rig.open("pod-identity", { session: rig.start(env), config: { credentialsFile: "" } });

    assert.deepEqual(await location.list(), []);
  });
});
