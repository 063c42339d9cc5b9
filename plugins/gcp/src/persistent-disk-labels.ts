import { isKind } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { GceDisk, GceSnapshot } from "./gce-resources.ts";
import type { Operation } from "./persistent-disk-api.ts";

/**
 * Creates something with its labels, and without them where that is denied: Velero's role long lacked the permission to
 * set them, and no backup fails for a label.
 */
export async function createWithLabels<T extends GceDisk | GceSnapshot>(
  type: "disks" | "snapshots",
  content: T,
  create: (content: T) => Promise<Operation>,
  call: Call,
): Promise<Operation> {
  try {
    return await create(content);
  } catch (error) {
    if (!isKind(error, "denied") || Object.keys(content.labels ?? {}).length === 0) throw error;
    const operation = await create({ ...content, labels: undefined });
    call.log.info(`made without labels; grant compute.${type}.setLabels to have them`, {
      name: content.name ?? "",
      reason: error.message,
    });
    return operation;
  }
}
