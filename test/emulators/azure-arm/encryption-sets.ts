import { notFound } from "./call.ts";
import type { Handler } from "./call.ts";
import { formatId, keyOf } from "./resource-id.ts";

/** DiskEncryptionSets_Get. */
export const getEncryptionSet: Handler = (call) => {
  const set = call.state.encryptionSets.get(keyOf(call.id));
  if (set === undefined) throw notFound(call.id);
  const { id, location, type } = set;
  return {
    status: 200,
    body: {
      id: formatId(id),
      name: id.name,
      type: "Microsoft.Compute/diskEncryptionSets",
      location,
      properties: { encryptionType: type, provisioningState: "Succeeded" },
    },
  };
};
