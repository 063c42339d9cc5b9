import { join } from "node:path";

import { readAttributes } from "./attributes.ts";
import { receiveBody } from "./body.ts";
import { bucketOf, checksumHeaders, keyOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import { FileSink, fillSink } from "../file-sink.ts";
import { newVersion, opaqueEtag, requireDigestForLock, versionHeader } from "./new-version.ts";
import { encryptionHeaders, hasMd5Etag } from "./sse.ts";

/** PutObject. */
export async function putObject(call: Call): Promise<Answer> {
  const bucket = bucketOf(call);
  const key = keyOf(call);
  const attributes = readAttributes(call, bucket);
  requireDigestForLock(call, attributes);
  checkWriteConditions(call, bucket, key);
  return await call.state.withStaging(async (folder) => {
    const sink = await FileSink.open(join(folder, "data"));
    const needsMd5 = hasMd5Etag(attributes.encryption);
    const body = await fillSink(sink, (sink) => receiveBody(call, sink, { defaultAlgorithm: "CRC64NVME", needsMd5 }));
    // Another writer may have come first while the body arrived.
    checkWriteConditions(call, bucketOf(call), key);
    const etag = needsMd5 && body.md5 !== undefined ? body.md5 : opaqueEtag();
    const checksum = { ...body.checksum, type: "FULL_OBJECT" } as const;
    const meta = newVersion(call, bucket, { ...attributes, key, size: body.size, etag, checksum });
    bucket.objects.publish(meta, folder);
    return {
      headers: {
        etag: `"${etag}"`,
        ...checksumHeaders(meta.checksum),
        ...encryptionHeaders(meta.encryption),
        ...versionHeader(bucket, meta),
      },
    };
  });
}
