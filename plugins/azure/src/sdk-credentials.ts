import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  ManagedIdentityCredential,
} from "@azure/identity";
import type { TokenCredential } from "@azure/identity";
import { readFederatedToken } from "./credentials.ts";
import type { ApplicationIdentity, Identity, TokenOptions } from "./credentials.ts";

/** The SDK's credential of an identity. A file of its own, since it is all that needs the identity SDK. */
export function createSdkCredential(identity: Identity, options: TokenOptions): TokenCredential {
  const { httpClient } = options;
  if (identity.kind === "managed")
    return new ManagedIdentityCredential({
      ...(identity.clientId === undefined ? {} : { clientId: identity.clientId }),
      httpClient,
      authorityHost: options.authorityHost,
    });
  return applicationCredential(identity, {
    httpClient,
    authorityHost: options.authorityHost,
    disableInstanceDiscovery: !options.isAuthorityKnown,
    additionallyAllowedTenants: [...identity.additionalTenants],
  });
}

type SdkOptions = NonNullable<ConstructorParameters<typeof ClientSecretCredential>[3]>;

function applicationCredential(
  { tenantId, clientId, proof }: ApplicationIdentity,
  options: SdkOptions,
): TokenCredential {
  if (proof.kind === "secret") return new ClientSecretCredential(tenantId, clientId, proof.secret, options);
  if (proof.kind === "federated")
    return new ClientAssertionCredential(
      tenantId,
      clientId,
      async () => await readFederatedToken(proof.tokenFile),
      options,
    );
  const { pem: certificate, password: certificatePassword, sendsChain: sendCertificateChain } = proof;
  return new ClientCertificateCredential(
    tenantId,
    clientId,
    { certificate, ...(certificatePassword === undefined ? {} : { certificatePassword }) },
    { ...options, sendCertificateChain },
  );
}
