import { copyTimesTable } from "./copy-times-table.ts";

// A program: prints the table of docs/guides/snapshots-in-another-region.md.

process.stdout.write(`${copyTimesTable()}\n`);
