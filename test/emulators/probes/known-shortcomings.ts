/** Names the probes that a third-party server is known to fail; throws for a server that is not in the table. */
export function knownShortcomings(service: "s3" | "ec2", server: string): readonly string[] {
  const known = table[`${service}/${server}`];
  if (known !== undefined) return known;
  throw new Error(`nothing is known of ${server} for ${service}; known are ${Object.keys(table).join(", ")}`);
}

// Found by running the probes against these versions. A name that no longer fails must leave the table.
const table: Readonly<Record<string, readonly string[]>> = {
  "s3/stand-in": [],
  "ec2/stand-in": [],
  // versitygw 1.8.0 with accounts and versions (--iam-dir, --versioning-dir)
  "s3/versitygw": [
    "a stream with a trailing CRC32 is stored without its framing",
    "a stream with a trailing CRC32C is stored without its framing",
    "a stream with a trailing CRC64NVME is stored without its framing",
    "a stream with a trailing SHA1 is stored without its framing",
    "a stream with a trailing SHA256 is stored without its framing",
    "metadata, content headers and storage class come back",
    "an unknown storage class is refused",
    "a key of more than 1024 bytes is refused",
    "parts out of order are refused",
    "GetObjectAttributes tells size, checksum and parts",
    "dots and empty names between slashes are part of a key",
    "odd keys are stored, listed in byte order and read",
    "eleven tags are refused",
    "SSE-S3 is said in the answers",
    "SSE-KMS is said in the answers with its key",
    "an unknown encryption is refused",
    "an SSE-C object is read with its key",
    "an SSE-C object is not read without a key",
    "an SSE-C object is not read with another key",
    "a bucket is created in another region and says so",
    "a request signed for the wrong region is told the right one",
    "the SDK finds a bucket of another region by the redirect",
    "tags, lifecycle and policy of a bucket come back",
  ],
  // ministack 1.5.33
  "s3/ministack": [
    "an object put without a checksum gets CRC64NVME from the store",
    "a stream with a trailing CRC32 is stored without its framing",
    "a stream with a trailing CRC32C is stored without its framing",
    "a stream with a trailing CRC64NVME is stored without its framing",
    "a stream with a trailing SHA1 is stored without its framing",
    "a stream with a trailing SHA256 is stored without its framing",
    "a key of more than 1024 bytes is refused",
    "a multipart object has a FULL_OBJECT CRC32",
    "a multipart object has a FULL_OBJECT CRC32C",
    "a multipart object has a FULL_OBJECT CRC64NVME",
    "a multipart checksum of the whole object is refused when wrong",
    "a FULL_OBJECT SHA256 is refused",
    "a part that is too small is refused at completion",
    "parts out of order are refused",
    "GetObjectAttributes tells size, checksum and parts",
    "a copy onto itself without a change is refused",
    "a wrong secret is SignatureDoesNotMatch",
    "an unknown access key is InvalidAccessKeyId",
    "a request without a signature is refused",
    "a clock that is an hour off is RequestTimeTooSkewed",
  ],
  // moto 5.2.5
  "ec2/moto": [
    "gp3 has its standard iops and throughput",
    "an io1 volume without iops is refused",
    "iops on gp2 are refused",
    "too many iops for the size are refused",
    "a size that the type does not have is refused",
    "a zone that does not exist is refused",
    "a client token makes one volume, and with other parameters an error",
    "a malformed volume id is refused",
    "reserved tags are refused",
    "a wrong secret is refused",
    "an unknown access key is refused",
    "a snapshot is pending in the answer to its creation",
    "a volume smaller than its snapshot is refused",
    "a malformed snapshot id is refused",
    "many snapshots come in pages",
    "a snapshot is shared with an account",
  ],
};
