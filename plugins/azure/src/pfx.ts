import forge from "node-forge";
import { PluginError } from "@flotilla/sdk/plugin";

/**
 * The certificates and the private key of a PFX file in PEM, as the identity SDK takes them. Node's own TLS reads such
 * files but hands out no key, and refuses the ciphers that Windows and older tools still write.
 */
export function pemOfPfx(pfx: Buffer, password: string, where: string): string {
  const bags = openPfx(pfx, password, where);
  const keys = [...bags(forge.pki.oids["pkcs8ShroudedKeyBag"]), ...bags(forge.pki.oids["keyBag"])];
  const key = keys.find((bag) => bag.key !== undefined)?.key;
  const certificates = bags(forge.pki.oids["certBag"]).flatMap(({ cert }) => (cert === undefined ? [] : [cert]));
  // The certificate that is registered comes first: its hash names it.
  const isOwn = (certificate: forge.pki.Certificate): boolean =>
    key !== undefined && "n" in certificate.publicKey && certificate.publicKey.n.equals(key.n);
  const ordered = [...certificates.filter(isOwn), ...certificates.filter((one) => !isOwn(one))];
  if (key === undefined || ordered[0] === undefined || !isOwn(ordered[0]))
    throw new PluginError(`${where} holds no RSA key with its certificate`, { kind: "invalid-config" });
  return [...ordered.map((one) => forge.pki.certificateToPem(one)), forge.pki.privateKeyToPem(key)].join("\n");
}

type BagsOf = (type: string | undefined) => readonly forge.pkcs12.Bag[];

function openPfx(pfx: Buffer, password: string, where: string): BagsOf {
  try {
    const store = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(pfx.toString("binary")), false, password);
    return (bagType) => (bagType === undefined ? [] : (store.getBags({ bagType })[bagType] ?? []));
  } catch (error) {
    throw new PluginError(
      `${where} cannot be opened as PFX; check AZURE_CLIENT_CERTIFICATE_PASSWORD, or make a PEM of it: openssl pkcs12 -in client.pfx -out client.pem -nodes`,
      { kind: "invalid-config", cause: error },
    );
  }
}
