import { join } from "node:path";

import { FileSink, fillSink } from "../file-sink.ts";
import { BlobError } from "./blob-error.ts";
import { readSettings } from "./blob-settings.ts";
import { receivedHeaders } from "./body.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import type { Container } from "./container.ts";
import { openSource, pourSource } from "./copy-source.ts";
import { currentBlob } from "./find-blob.ts";
import { maxBlockBytes, maxPutBytes } from "./limits.ts";
import { checkOverwrite, newBlob, writtenHeaders } from "./new-blob.ts";
import { stageBlock } from "./put-block.ts";

/** Put Blob From URL. */
export async function putBlobFromUrl(call: Call): Promise<Answer> {
  const container = containerOf(call);
  const name = blobNameOf(call);
  requireNoBody(call);
  if (call.headers.get("x-ms-blob-type") !== "BlockBlob") throw new BlobError("InvalidBlobType");
  const settings = readSettings(call, container);
  const check = (container: Container): void => {
    checkWriteConditions(call.headers, container.current(name));
    checkOverwrite(call, container.current(name));
  };
  await currentBlob(call, container, name);
  check(container);
  const source = await openSource(call);
  // Documented: a conflict, other than for a body that is too large.
  if (source.size > maxPutBytes(call.version)) throw new BlobError("CannotVerifyCopySource", {}, { status: 409 });
  const copiesProperties = call.headers.get("x-ms-copy-source-blob-properties")?.toLowerCase() !== "false";
  return await call.state.withStaging(async (folder) => {
    const sink = await FileSink.open(join(folder, "data"));
    const body = await fillSink(sink, (sink) => pourSource(call, source, sink));
    await currentBlob(call, containerOf(call), name);
    check(containerOf(call));
    const headers = {
      ...settings.headers,
      ...(copiesProperties ? source.headers : {}),
      ...(body.md5 === undefined ? {} : { "content-md5": body.md5 }),
    };
    const meta = newBlob(call, container, { ...settings, headers, name, size: body.size });
    container.publish(meta, folder);
    container.clearStaged(name);
    return { status: 201, headers: { ...writtenHeaders(meta), ...receivedHeaders(body) } };
  });
}

/** Put Block From URL. */
export async function putBlockFromUrl(call: Call): Promise<Answer> {
  requireNoBody(call);
  const source = await openSource(call, call.headers.get("x-ms-source-range"));
  if (source.size > maxBlockBytes(call.version)) throw new BlobError("RequestBodyTooLarge");
  return await stageBlock(call, source.size, (sink) => pourSource(call, source, sink));
}

function requireNoBody(call: Call): void {
  const length = call.headers.get("content-length");
  if (length === undefined) throw new BlobError("MissingContentLengthHeader");
  if (length !== "0") throw new BlobError("InvalidInput");
}
