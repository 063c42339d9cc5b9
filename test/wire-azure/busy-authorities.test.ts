import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { azureDefaults } from "@flotilla/test/emulators";

import { failureOf } from "../wire/bytes.ts";
import { startCloudRig } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";

const { tenantId, clientId, clientSecret } = azureDefaults;
const rig = await startCloudRig({
  account: { roles: { "object-owner": "contributor", "object-node": "contributor" } },
  identity: {
    applications: [{ tenantId, clientId, objectId: "object-owner", secrets: [clientSecret] }],
    managedIdentities: [
      {
        tenantId,
        clientId: "node",
        objectId: "object-node",
        resourceId: "/subscriptions/s/resourceGroups/g/providers/x/y",
      },
    ],
  },
});
after(() => rig.close());

const config = { useAAD: "true" };

describe("whoever issues tokens is busy for a moment", { timeout: 600_000 }, () => {
  for (const [who, operation, lines, env] of [
    ["the metadata service", "ManagedIdentity_Imds", { AZURE_CLIENT_ID: "node" }, rig.arm.identity.imdsEnvironment],
    ["Entra", "Entra_Token", ownerLines, {}],
  ] as const)
    test(`${who} is asked again after 429`, async () => {
      const location = await rig.open(`busy-${operation.toLowerCase().replace("_", "-")}`, {
        session: rig.start(env),
        lines,
        config,
      });
      const refusal = { kind: "error", status: 429, code: "too_many_requests" } as const;
      const fault = rig.arm.identity.faults.add(refusal, { operation }, { times: 2 });

      assert.deepEqual(await location.list(), []);
      assert.equal(fault.hits, 2);
    });

  test("Entra that is busy for longer is asked anew by the next call", async () => {
    const location = await rig.open("busy-for-longer", { session: rig.start(), lines: ownerLines, config });
    const refusal = { kind: "error", status: 429, code: "too_many_requests", headers: { "retry-after": "0" } } as const;
    const fault = rig.arm.identity.faults.add(refusal, { operation: "Entra_Token" }, { times: 1000 });

    const error = await failureOf(location.list());
    fault.remove();

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /no token was issued \(HTTP 429\); try again later/);

    assert.deepEqual(await location.list(), []);
  });
});
