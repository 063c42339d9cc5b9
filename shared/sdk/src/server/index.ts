export { serve } from "./serve.ts";
export type { ServedPlugin } from "./serve.ts";
