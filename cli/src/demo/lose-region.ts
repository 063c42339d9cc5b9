import { isTransient, PluginError } from "@flotilla/sdk/plugin";

import type { LostRegionStage } from "./lost-region-stage.ts";

/** What lies in the region and must not answer once it is lost. */
type Lost = Pick<LostRegionStage, "lose" | "session" | "store" | "volumes">;

/** Loses the region, and proves it by what lies there: otherwise all that follows would show nothing. Answers what it says. */
export async function loseRegion(
  { lose, session, store, volumes }: Lost,
  volume: { readonly volumeId: string; readonly volumeAz: string } | undefined,
): Promise<string> {
  await lose();
  const { bucket } = store.location;
  const answers = await Promise.all([
    refusalOf(store.client.listCommonPrefixes({ bucket, prefix: "", delimiter: "/" }, session.call)),
    ...(volume === undefined ? [] : [refusalOf(volumes.client.getVolumeInfo(volume, session.call))]),
  ]);
  return answers.join("; ");
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => PluginError.from(error),
  );
  if (outcome !== undefined && isTransient(outcome)) return outcome.message;
  throw new PluginError(`the lost region answers: ${outcome?.message ?? "as before"}`, { kind: "internal" });
}
