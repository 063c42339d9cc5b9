import { FileSink, fillSink } from "../file-sink.ts";
import { BlobError, invalidHeader } from "./blob-error.ts";
import { announcedSize, receiveBody, receivedHeaders } from "./body.ts";
import type { ReceivedBody } from "./body.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkMutable } from "./new-blob.ts";
import { encryptionHeaders, readEncryption } from "./encryption.ts";
import { currentBlob } from "./find-blob.ts";
import { maxBlockBytes, maxStagedBlocks } from "./limits.ts";

/** Put Block. */
export async function putBlock(call: Call): Promise<Answer> {
  const maxBytes = maxBlockBytes(call.version);
  const size = announcedSize(call, maxBytes);
  if (size === 0) throw invalidHeader("Content-Length", "0");
  return await stageBlock(call, size, (sink) => receiveBody(call, sink, { maxBytes, isWholeBlob: false }));
}

/** Stages a block whose bytes `fill` brings. */
export async function stageBlock(
  call: Call,
  size: number,
  fill: (sink: FileSink) => Promise<ReceivedBody>,
): Promise<Answer> {
  const container = containerOf(call);
  const name = blobNameOf(call);
  const id = readBlockId(call);
  const encryption = readEncryption(call, container.config);
  const existing = await currentBlob(call, container, name);
  if (existing?.copy?.status === "pending") throw new BlobError("PendingCopyOperation");
  if (existing !== undefined && call.account.isVersioned !== true) checkMutable(existing, call.now);
  const staged = container.staged(name, call.now);
  const others = [...staged.blocks().map((block) => block.id), ...(existing?.blocks ?? []).map((block) => block.id)];
  if (others.some((other) => other.length !== id.length)) throw new BlobError("InvalidBlobOrBlock");
  if (staged.count >= maxStagedBlocks && staged.find(id) === undefined) throw new BlobError("BlockCountExceedsLimit");
  const place = staged.reserve(size);
  let body: ReceivedBody;
  try {
    body = await fillSink(await FileSink.open(place.path, place.offset), fill);
    // The container may have gone while the body came.
    containerOf(call);
  } catch (cause) {
    staged.giveUp();
    throw cause;
  }
  staged.keep({ id, size: body.size, encryption, file: place.file, offset: place.offset }, call.now);
  return {
    status: 201,
    headers: {
      ...receivedHeaders(body),
      "x-ms-request-server-encrypted": "true",
      ...encryptionHeaders(encryption),
    },
  };
}

function readBlockId(call: Call): string {
  const id = call.query.get("blockid");
  if (id === undefined) throw new BlobError("MissingRequiredQueryParameter", { QueryParameterName: "blockid" });
  const bytes = Buffer.from(id, "base64");
  if (id !== "" && bytes.length <= 64 && bytes.toString("base64") === id) return id;
  throw new BlobError("InvalidQueryParameterValue", {
    QueryParameterName: "blockid",
    QueryParameterValue: id,
    Reason: "Not a valid base64 string.",
  });
}
