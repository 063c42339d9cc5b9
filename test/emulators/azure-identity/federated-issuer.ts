import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { signJwt } from "../jwt.ts";

/** The audience that Entra asks of a token that stands in for a secret. */
export const federatedAudience = "api://AzureADTokenExchange";

/** An issuer of service account tokens: a cluster. */
export interface FederatedIssuer {
  readonly issuer: string;
  readonly publicKey: KeyObject;
  /** Issues the token that a cluster would write into AZURE_FEDERATED_TOKEN_FILE. */
  token(subject: string, options?: { readonly audience?: string; readonly expires?: Date }): string;
}

/** Makes an issuer with a key of its own. */
export function createFederatedIssuer(issuer = "https://oidc.cluster.invalid/"): FederatedIssuer {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    issuer,
    publicKey,
    token: (subject, options = {}) => {
      const expires = Math.floor((options.expires?.getTime() ?? Date.now() + 3_600_000) / 1000);
      const issued = Math.min(Math.floor(Date.now() / 1000), expires - 1);
      const claims = { aud: [options.audience ?? federatedAudience], iss: issuer, sub: subject };
      return signJwt({ ...claims, iat: issued, nbf: issued, exp: expires }, privateKey, { kid: "cluster" });
    },
  };
}
