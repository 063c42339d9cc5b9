export { AgentPool } from "./agent-pool.ts";
export type { AgentPoolOptions } from "./agent-pool.ts";
export { proxyFor } from "./proxy.ts";
export type { Environment } from "./proxy.ts";
export { certificatesIn, createTrust, trustedCertificates } from "./trust.ts";
export type { Trust, TrustOptions } from "./trust.ts";
