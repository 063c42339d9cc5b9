import { chapters } from "../rules/index.ts";
import type { Rule } from "../rules/rule.ts";
import { suite } from "../suite.ts";
import { cell } from "./markdown-report.ts";

const introduction = `<!-- Generated from test/conformance/src/rules by npm run generate; edit there. -->

# What a Velero plugin must do

The rules by which [the conformance suite](../test/conformance) judges an executable, each with where it comes from, what the server does with a plugin that breaks it, and how many tests hold a plugin to it.

Origin: *Velero* and *go-plugin* rules follow from the source of Velero v1.18.3 and hashicorp/go-plugin v1.7.0, in the file that is named: a plugin that breaks one fails under the unmodified server. Rules that are *ours* are promises that no text of Velero makes; an operator at three in the morning wants them kept all the same.
`;

/** The rules for users, in Markdown: docs/protocol.md. */
export function rulesPage(): string {
  const pages = chapters.map(({ title, rules }) => {
    const rows = Object.entries(rules).map(([id, rule]) => row(id, rule));
    const head = "| rule | | origin | otherwise | source | tests |\n| --- | --- | --- | --- | --- | --- |";
    return `## ${title}\n\n${head}\n${rows.join("\n")}\n`;
  });
  return [introduction, ...pages].join("\n");
}

function row(id: string, { text, origin, consequence, source }: Rule): string {
  const tests = suite.filter((test) => test.rule === id).length;
  return `| \`${id}\` | ${[text, origin, consequence, source, String(tests)].map(cell).join(" | ")} |`;
}
