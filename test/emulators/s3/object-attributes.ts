import { document, element, leaf } from "../xml.ts";
import type { Answer, Call } from "./call.ts";
import { checksumElement } from "./checksums.ts";
import { findObject } from "./find-object.ts";
import { versionHeader } from "./new-version.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";
import { checkCustomerKey } from "./sse.ts";

const known = new Set(["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]);

/** GetObjectAttributes. */
export function getObjectAttributes(call: Call): Answer {
  const asked = (call.headers.get("x-amz-object-attributes") ?? "").split(",").map((name) => name.trim());
  if (asked.some((name) => !known.has(name))) throw new S3Error("InvalidArgument", "Invalid attribute name specified.");
  const { bucket, meta } = findObject(call);
  checkCustomerKey(call, meta.encryption);
  const children = [
    asked.includes("ETag") ? leaf("ETag", meta.etag) : "",
    asked.includes("Checksum") ? writeChecksum(meta) : "",
    asked.includes("ObjectParts") ? writeParts(call, meta) : "",
    asked.includes("StorageClass") ? leaf("StorageClass", meta.storageClass) : "",
    asked.includes("ObjectSize") ? leaf("ObjectSize", meta.size) : "",
  ];
  const xmlns = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return {
    body: document(element("GetObjectAttributesResponse", children, xmlns)),
    headers: { ...versionHeader(bucket, meta), "last-modified": new Date(meta.lastModified).toUTCString() },
  };
}

function writeChecksum({ checksum }: ObjectMeta): string {
  if (checksum === undefined) return "";
  // Here, other than in headers, a composite checksum comes without the number of parts.
  const value = checksum.value.split("-")[0];
  return element("Checksum", [leaf(checksumElement(checksum.algorithm), value), leaf("ChecksumType", checksum.type)]);
}

function writeParts(call: Call, meta: ObjectMeta): string {
  if (meta.parts === undefined) return "";
  const marker = Number(call.headers.get("x-amz-part-number-marker") ?? 0);
  const most = Math.min(Number(call.headers.get("x-amz-max-parts") ?? 1000), 1000);
  const rest = meta.parts.filter((part) => part.partNumber > marker);
  const page = rest.slice(0, most);
  const { checksum } = meta;
  // S3 lists the single parts only where the client chose a checksum; its own default is for the whole object.
  const listed = checksum === undefined || checksum.algorithm === "CRC64NVME" ? [] : page;
  return element("ObjectParts", [
    leaf("PartsCount", meta.parts.length),
    leaf("PartNumberMarker", marker),
    leaf("NextPartNumberMarker", page.at(-1)?.partNumber ?? 0),
    leaf("MaxParts", most),
    leaf("IsTruncated", page.length < rest.length),
    ...listed.map((part) =>
      element("Part", [
        ...(checksum === undefined ? [] : [leaf(checksumElement(checksum.algorithm), part.checksum)]),
        leaf("PartNumber", part.partNumber),
        leaf("Size", part.size),
      ]),
    ),
  ]);
}
