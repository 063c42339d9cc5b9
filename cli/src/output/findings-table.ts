import type { Finding } from "@flotilla/sdk/plugin";

import { formatTable } from "./table.ts";

const columns = ["severity", "location", "subject", "detail", "remedy"] as const;

/** Findings, each with the location that it belongs to, one a row. */
export function formatFindings(findings: readonly (Finding & { readonly location: string })[]): string {
  return formatTable(
    columns,
    findings.map((finding) => columns.map((column) => finding[column])),
  );
}
