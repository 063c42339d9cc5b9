import type { CopyPlace } from "@flotilla/sdk/objects";
import { failure, findingsOf } from "@flotilla/sdk/plugin";
import type { Call, Finding, OpenContext } from "@flotilla/sdk/plugin";
import { copySizes } from "./azure-blob-copy.ts";
import { checkCopy } from "./azure-blob-copy-check.ts";
import type { AzureBlobDriver } from "./azure-blob-driver.ts";
import { openContainer } from "./azure-container.ts";
import type { AzureContainer } from "./azure-container.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { copyTargetConfig } from "./copy-target-config.ts";
import type { ContainerTarget } from "./config-copies.ts";

/** The containers that a location's objects are copied to. */
export interface CopyPlaces {
  readonly places: readonly CopyPlace[];
  /** What is to be said of each of them. */
  check(call: Call): AsyncIterable<Finding>;
  close(): void;
}

/** Makes the places of `copyTo`. Each is opened when it is needed: a wrong one must not stand in the way of a restore. */
export function copyPlaces(config: ObjectStoreConfig, own: AzureContainer, context: OpenContext): CopyPlaces {
  const origin = { session: own.session, customerKey: own.customerKey };
  const opened: AzureContainer[] = [];
  const open = async (target: ContainerTarget): Promise<AzureContainer> => {
    const container = await openContainer(copyTargetConfig(config, target), context);
    opened.push(container);
    return container;
  };
  const driverOf = (container: AzureContainer, { bucket, config }: ContainerTarget): AzureBlobDriver =>
    container.openDriver(bucket, { origin, sizes: copySizes(config.copyCutoff) });
  const checkTarget = async function* (target: ContainerTarget, call: Call): AsyncGenerator<Finding> {
    let container: AzureContainer;
    try {
      container = await open(target);
    } catch (error) {
      yield failure("configuration", error);
      return;
    }
    let hasFailed = false;
    for await (const finding of container.check(call)) {
      hasFailed ||= finding.severity === "failure";
      yield finding;
    }
    // It would only say the same once more.
    if (hasFailed) return;
    const { bucket, prefix = config.prefix } = target;
    const from = { bucket: config.bucket, prefix: config.prefix, driver: own.openDriver(config.bucket) };
    yield await checkCopy(from, { bucket, prefix, driver: driverOf(container, target) }, call);
  };
  const places = config.copyTo.map((target): CopyPlace => {
    const { bucket, prefix, mode } = target;
    return {
      name: nameOf(target),
      bucket,
      prefix,
      mode,
      open: async () => driverOf(await open(target), target),
    };
  });
  return {
    places,
    check: async function* (call) {
      for (const target of config.copyTo)
        yield* findingsOf({ ...target, name: nameOf(target) }, checkTarget(target, call));
    },
    close: () => {
      for (const container of opened) container.close();
    },
  };
}

/** With the account: containers of several accounts often have one name. */
function nameOf({ name, config }: ContainerTarget): string {
  const account = config.storageAccount ?? config.storageAccountURI?.host;
  return account === undefined ? name : `${name} in storage account ${account}`;
}
