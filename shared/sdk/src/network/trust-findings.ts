import { advice } from "../plugin/index.ts";
import type { Finding } from "../plugin/index.ts";
import { certificatesIn } from "./trust.ts";

/** What a check has to say of the keys by which a location trusts its endpoint. */
export function* trustFindings(config: {
  readonly caCert: string | undefined;
  /** Absent where the kind of location has no such key. */
  readonly insecureSkipTLSVerify?: boolean;
}): Generator<Finding> {
  if (config.caCert !== undefined && certificatesIn(config.caCert).length === 0)
    yield advice("caCert", "holds no PEM certificate, so nothing more is trusted", "give the certificate in PEM form");
  if (config.insecureSkipTLSVerify === true)
    yield advice("insecureSkipTLSVerify", "any certificate is accepted", "give the CA certificate as caCert instead");
}
