import { LocationCopyPlace } from "@flotilla/sdk/objects";
import type { CopyEnd, CopyPlace, CopyPlaceOpener } from "@flotilla/sdk/objects";
import { failure, findingsOf } from "@flotilla/sdk/plugin";
import type { Call, Finding, OpenContext } from "@flotilla/sdk/plugin";
import { copySizes } from "./azure-blob-copy.ts";
import { checkCopy } from "./azure-blob-copy-check.ts";
import { openContainer } from "./azure-container.ts";
import type { AzureContainer } from "./azure-container.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { copyTargetConfig } from "./copy-target-config.ts";
import type { ContainerTarget } from "./config-copies.ts";

/** A copyTo target. */
type ContainerPlace = LocationCopyPlace<ContainerTarget, AzureContainer>;

/** The containers that a location's objects are copied to. */
export interface CopyPlaces {
  readonly places: readonly CopyPlace[];
  /** What is to be said of each of them. */
  check(call: Call): AsyncIterable<Finding>;
  close(): Promise<void>;
}

/** Makes the places of `copyTo`, each of which is opened when it is first needed. */
export function copyPlaces(config: ObjectStoreConfig, own: AzureContainer, context: OpenContext): CopyPlaces {
  const origin = { session: own.session, customerKey: own.customerKey };
  const opener: CopyPlaceOpener<ContainerTarget, AzureContainer> = {
    openLocation: async (target, context) => await openContainer(copyTargetConfig(config, target), context),
    driverOf: (container, { bucket, config }) =>
      container.openDriver(bucket, { origin, sizes: copySizes(config.copyCutoff) }),
  };
  const places = config.copyTo.map(
    (target): ContainerPlace => new LocationCopyPlace({ ...target, name: nameOf(target) }, opener, context),
  );
  const { bucket, prefix } = config;
  const from = (): CopyEnd => ({ bucket, prefix, driver: own.openDriver(bucket) });
  return {
    places,
    check: async function* (call) {
      for (const place of places) yield* findingsOf(place.target, checkPlace(from(), place, call));
    },
    close: async () => {
      await Promise.all(places.map(async (place) => await place.close()));
    },
  };
}

async function* checkPlace(own: CopyEnd, place: ContainerPlace, call: Call): AsyncGenerator<Finding> {
  let container: AzureContainer;
  try {
    container = await place.location();
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
  const { bucket, prefix = own.prefix } = place;
  yield await checkCopy(own, { bucket, prefix, driver: await place.open() }, call);
}

/** With the account: containers of several accounts often have one name. */
function nameOf({ name, config }: ContainerTarget): string {
  const account = config.storageAccount ?? config.storageAccountURI?.host;
  return account === undefined ? name : `${name} in storage account ${account}`;
}
