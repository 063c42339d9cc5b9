import { join } from "node:path";

import { FileSink, fillSink } from "../file-sink.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";
import { readSettings } from "./blob-settings.ts";
import { receiveBody, receivedHeaders } from "./body.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import type { Container } from "./container.ts";
import { currentBlob } from "./find-blob.ts";
import { maxPutBytes } from "./limits.ts";
import { checkOverwrite, newBlob, writtenHeaders } from "./new-blob.ts";

/** Put Blob, of a block blob. */
export async function putBlob(call: Call): Promise<Answer> {
  const container = containerOf(call);
  const name = blobNameOf(call);
  checkBlobType(call);
  const settings = readSettings(call, container);
  // All of it at once: between the last check and the publication no other request may come.
  const check = (container: Container): void => {
    const existing = container.current(name);
    checkWriteConditions(call.headers, existing);
    checkOverwrite(call, existing);
  };
  await currentBlob(call, container, name);
  check(container);
  return await call.state.withStaging(async (folder) => {
    const sink = await FileSink.open(join(folder, "data"));
    const options = { maxBytes: maxPutBytes(call.version), isWholeBlob: true };
    const body = await fillSink(sink, (sink) => receiveBody(call, sink, options));
    // Another writer may have come first while the body arrived.
    await currentBlob(call, containerOf(call), name);
    check(containerOf(call));
    const headers = { ...settings.headers, ...(body.md5 === undefined ? {} : { "content-md5": body.md5 }) };
    const meta = newBlob(call, container, { ...settings, headers, name, size: body.size });
    container.publish(meta, folder);
    container.clearStaged(name);
    return { status: 201, headers: { ...writtenHeaders(meta), ...receivedHeaders(body) } };
  });
}

function checkBlobType(call: Call): void {
  const type = call.headers.get("x-ms-blob-type");
  if (type === undefined) throw new BlobError("MissingRequiredHeader", { HeaderName: "x-ms-blob-type" });
  if (type === "BlockBlob") return;
  if (type === "PageBlob" || type === "AppendBlob") throw new BlobError("NotImplemented", { BlobType: type });
  throw invalidHeader("x-ms-blob-type", type);
}
