import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Attempt } from "./errors.ts";

/**
 * Where the next page of a listing begins; undefined after the last. A gateway or a captive portal may answer 200 without
 * a listing, which the SDK reads as one without keys: every listing says whether it is truncated.
 */
export function nextPageOf(
  { IsTruncated, NextContinuationToken }: Pick<ListObjectsV2CommandOutput, "IsTruncated" | "NextContinuationToken">,
  { action }: Pick<Attempt, "action">,
): string | undefined {
  if (IsTruncated === false) return undefined;
  if (IsTruncated === true && NextContinuationToken !== undefined) return NextContinuationToken;
  throw new PluginError(
    `${action}: the answer is no whole listing; check that the endpoint is the store's API and not a proxy's page`,
    { kind: "unavailable" },
  );
}

/** A key as it is, of an answer that was asked to encode it. */
export function decodeListed(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}
