import { createHash } from "node:crypto";
import { join } from "node:path";

import { childrenNamed, childText, document, element, leaf, parseXml, requiredText } from "../xml.ts";
import type { XmlElement } from "../xml.ts";
import { receiveDocument } from "./body.ts";
import { bucketOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { badChecksum, checkForm, checksumElement, checksumHeader, combineChecksums } from "./checksums.ts";
import type { Checksum } from "./checksums.ts";
import { checkWriteConditions } from "./conditions.ts";
import { defaultAlgorithm, findUpload } from "./multipart.ts";
import { newVersion, versionHeader } from "./new-version.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";
import { encryptionHeaders } from "./sse.ts";
import type { Upload, UploadedPart } from "./uploads.ts";

const minPartBytes = 5 * 1024 ** 2;
const maxObjectBytes = 50 * 1024 ** 4;

/** CompleteMultipartUpload. */
export async function completeMultipartUpload(call: Call): Promise<Answer> {
  const upload = findUpload(call);
  const listed = readPartList(await receiveDocument(stripObjectChecksum(call)));
  const parts = chooseParts(upload, listed);
  const checksum = checkChecksums(call, upload, listed, parts);
  checkSize(call, parts);
  const bucket = bucketOf(call);
  const { info } = upload;
  checkWriteConditions(call, bucket, info.key);
  return await call.state.withStaging(async (folder) => {
    const destination = join(folder, "data");
    const isAssembled = upload.isAssembled(parts);
    if (!isAssembled) await upload.copyTo(parts, destination);
    // From here to the publication nothing else can run in between.
    findUpload(call);
    checkWriteConditions(call, bucket, info.key);
    if (isAssembled) upload.moveTo(parts, destination);
    const meta = newVersion(call, bucket, {
      ...info.attributes,
      key: info.key,
      size: totalSize(parts),
      etag: multipartEtag(parts),
      checksum,
      parts: parts.map(({ partNumber, size, checksum }) => ({ partNumber, size, checksum })),
    });
    bucket.objects.publish(meta, folder);
    await call.state.uploads.remove(upload);
    return {
      body: writeResult(call, meta),
      headers: { ...encryptionHeaders(meta.encryption), ...versionHeader(bucket, meta) },
    };
  });
}

interface ListedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly element: XmlElement;
}

// A checksum header here is that of the object, not of this document.
function stripObjectChecksum(call: Call): Call {
  const headers = new Map([...call.headers].filter(([name]) => !name.startsWith("x-amz-checksum-")));
  return { ...call, headers };
}

function readPartList(source: string): readonly ListedPart[] {
  const root = parseXml(source);
  const parts = childrenNamed(root, "Part").map((part) => ({
    partNumber: Number(requiredText(part, "PartNumber")),
    etag: requiredText(part, "ETag").replaceAll('"', ""),
    element: part,
  }));
  if (root.name !== "CompleteMultipartUpload" || parts.length === 0) throw new S3Error("MalformedXML");
  if (parts.some(({ partNumber }) => !Number.isInteger(partNumber) || partNumber < 1))
    throw new S3Error("MalformedXML");
  return parts;
}

function chooseParts(upload: Upload, listed: readonly ListedPart[]): readonly UploadedPart[] {
  listed.forEach(({ partNumber }, index) => {
    const before = listed[index - 1];
    if (before !== undefined && before.partNumber >= partNumber) throw new S3Error("InvalidPartOrder");
  });
  const parts = listed.map(({ partNumber, etag }) => {
    const part = upload.parts.get(partNumber);
    if (part !== undefined && part.etag === etag) return part;
    throw new S3Error("InvalidPart", undefined, {
      details: { UploadId: upload.info.uploadId, PartNumber: String(partNumber), ETag: etag },
    });
  });
  const small = parts.slice(0, -1).find((part) => part.size < minPartBytes);
  if (small === undefined) return parts;
  throw new S3Error("EntityTooSmall", undefined, {
    details: {
      ProposedSize: String(small.size),
      MinSizeAllowed: String(minPartBytes),
      PartNumber: String(small.partNumber),
      ETag: small.etag,
    },
  });
}

function checkChecksums(
  call: Call,
  upload: Upload,
  listed: readonly ListedPart[],
  parts: readonly UploadedPart[],
): Checksum {
  const { algorithm, type } = upload.info.checksum ?? { algorithm: defaultAlgorithm, type: "FULL_OBJECT" as const };
  const wantedType = call.headers.get("x-amz-checksum-type");
  if (wantedType !== undefined && wantedType !== type) {
    throw new S3Error(
      "InvalidRequest",
      `The upload was created using the ${type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  listed.forEach(({ partNumber, element }, index) => {
    const claimed = childText(element, checksumElement(algorithm));
    if (claimed === undefined && type === "COMPOSITE") {
      throw new S3Error(
        "InvalidRequest",
        `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${partNumber} in the request.`,
      );
    }
    if (claimed !== undefined && claimed !== parts[index]?.checksum) throw new S3Error("InvalidPart");
  });
  if (type === "COMPOSITE" && parts.some((part, index) => part.partNumber !== index + 1)) {
    throw new S3Error(
      "InternalError",
      "Part numbers of an upload with a composite checksum must be consecutive and begin with 1.",
    );
  }
  const checksum = combineChecksums(
    algorithm,
    type,
    parts.map((part) => ({ value: part.checksum, size: part.size })),
  );
  const claimed = call.headers.get(checksumHeader(algorithm));
  if (claimed === undefined) return checksum;
  if (type === "FULL_OBJECT") checkForm(algorithm, claimed);
  // Of a composite checksum clients send the value with or without the number of parts.
  if (claimed !== checksum.value && claimed !== checksum.value.split("-")[0]) throw badChecksum(algorithm);
  return checksum;
}

function checkSize(call: Call, parts: readonly UploadedPart[]): void {
  const size = totalSize(parts);
  if (size > maxObjectBytes) throw new S3Error("EntityTooLarge");
  const claimed = call.headers.get("x-amz-mp-object-size");
  if (claimed === undefined || Number(claimed) === size) return;
  throw new S3Error(
    "InvalidRequest",
    `The provided 'x-amz-mp-object-size' header value ${claimed} does not match what was computed: ${size}`,
  );
}

function totalSize(parts: readonly UploadedPart[]): number {
  return parts.reduce((sum, part) => sum + part.size, 0);
}

function multipartEtag(parts: readonly UploadedPart[]): string {
  const md5 = createHash("md5");
  for (const part of parts) md5.update(Buffer.from(part.etag, "hex"));
  return `${md5.digest("hex")}-${parts.length}`;
}

function writeResult(call: Call, meta: ObjectMeta): string {
  const { bucketName } = call;
  const { checksum } = meta;
  return document(
    element(
      "CompleteMultipartUploadResult",
      [
        leaf("Location", `http://${call.headers.get("host") ?? ""}/${bucketName ?? ""}/${encodeURI(meta.key)}`),
        leaf("Bucket", bucketName),
        leaf("Key", meta.key),
        leaf("ETag", `"${meta.etag}"`),
        ...(checksum === undefined
          ? []
          : [leaf(checksumElement(checksum.algorithm), checksum.value), leaf("ChecksumType", checksum.type)]),
      ],
      ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"',
    ),
  );
}
