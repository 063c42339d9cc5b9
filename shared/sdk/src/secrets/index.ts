export { readCustomerKey } from "./customer-key.ts";
export type { CustomerKey, CustomerKeySource } from "./customer-key.ts";
export { askKubernetes, namespaceOfServer } from "./kubernetes-api.ts";
export type { KubernetesAnswer, KubernetesQuery } from "./kubernetes-api.ts";
export { readKubernetesSecret } from "./kubernetes-secret.ts";
export type { SecretRequest } from "./kubernetes-secret.ts";
export { readSettledFile, recentlyWrittenMs } from "./settled-file.ts";
export type { SettledFileOptions } from "./settled-file.ts";
