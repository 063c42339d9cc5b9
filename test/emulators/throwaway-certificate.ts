import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A certificate for loopback that is its own authority, with its key, in PEM. */
export interface ThrowawayCertificate {
  readonly cert: string;
  readonly key: string;
}

// The tags of X.509's DER that are used below.
const integer = 0x02;
const bitString = 0x03;
const octetString = 0x04;
const objectId = 0x06;
const utf8String = 0x0c;
const generalizedTime = 0x18;
const sequence = 0x30;
const set = 0x31;
const explicit = (number: number): number => 0xa0 + number;

const ecdsaWithSha256 = der(sequence, der(objectId, Buffer.from("2a8648ce3d040302", "hex")));
const rsaWithSha256 = der(sequence, der(objectId, Buffer.from("2a864886f70d01010b", "hex")), Buffer.from([0x05, 0]));
const commonName = der(objectId, Buffer.from("550403", "hex"));
const subjectAltName = der(objectId, Buffer.from("551d11", "hex"));
const basicConstraints = der(objectId, Buffer.from("551d13", "hex"));
const dayMs = 24 * 3_600_000;

/**
 * Makes a certificate of a name that no store trusts, valid for a day, for 127.0.0.1 and the hosts, by default localhost.
 * An authority's name and key, of the same kind, issue it in the place of its own.
 */
export function createThrowawayCertificate(
  name: string,
  kind: "ec" | "rsa" = "ec",
  hosts: readonly string[] = ["localhost"],
  authority?: { readonly name: string; readonly key: string },
): ThrowawayCertificate {
  const { publicKey, privateKey } =
    kind === "ec"
      ? generateKeyPairSync("ec", { namedCurve: "prime256v1" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const algorithm = kind === "ec" ? ecdsaWithSha256 : rsaWithSha256;
  const issuer = distinguishedName(authority?.name ?? name);
  const now = Date.now();
  const hostNames = hosts.map((host) => der(0x82, Buffer.from(host)));
  const names = der(sequence, ...hostNames, der(0x87, Buffer.from([127, 0, 0, 1])));
  const isAuthority = der(sequence, der(0x01, Buffer.from([0xff])));
  const unsigned = der(
    sequence,
    der(explicit(0), der(integer, Buffer.from([2]))),
    der(integer, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    issuer,
    der(sequence, time(now - dayMs), time(now + dayMs)),
    distinguishedName(name),
    publicKey.export({ type: "spki", format: "der" }),
    der(explicit(3), der(sequence, extension(subjectAltName, names), extension(basicConstraints, isAuthority))),
  );
  const signature = der(bitString, Buffer.from([0]), sign("sha256", unsigned, authority?.key ?? privateKey));
  const body = der(sequence, unsigned, algorithm, signature).toString("base64");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${body.replaceAll(/.{64}(?!$)/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

function distinguishedName(name: string): Buffer {
  return der(sequence, der(set, der(sequence, commonName, der(utf8String, Buffer.from(name)))));
}

function extension(id: Buffer, value: Buffer): Buffer {
  return der(sequence, id, der(octetString, value));
}

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(generalizedTime, Buffer.from(text));
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 + size.length]), size, content]);
}
