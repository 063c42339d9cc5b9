export { AgentPool } from "./agent-pool.ts";
export type { AgentPoolOptions } from "./agent-pool.ts";
export { meaningOfNetworkCode } from "./network-errors.ts";
export type { Meaning } from "./network-errors.ts";
export { proxyFor } from "./proxy.ts";
export type { Environment } from "./proxy.ts";
export {
  absentError,
  answerError,
  chainOf,
  deniedMeaning,
  localError,
  meaningOfStatus,
  networkError,
} from "./service-errors.ts";
export type { Attempt, ServiceAnswer } from "./service-errors.ts";
export { certificatesIn, createTrust, trustedCertificates } from "./trust.ts";
export { trustFindings } from "./trust-findings.ts";
export type { Trust, TrustOptions } from "./trust.ts";
