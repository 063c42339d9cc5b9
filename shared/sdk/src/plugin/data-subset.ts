const mostParts = 256;
const sizeForm = /^0*[1-9]\d{0,14}[kmgt]?$/i;
const percentForm = /^\d{1,3}(?:\.\d+)?%$/;
const partForm = /^(\d+)\/(\d+)$/;

/** How a part of a store's data is said, for messages. */
export const dataSubsetForms = "5% or 500M, chosen at random, or 1/10, one part of ten (of 256 at most)";

/** Whether this says how much of a store's data to read back, by the rules of restic's --read-data-subset. */
export function isDataSubset(text: string): boolean {
  const [, part, parts] = partForm.exec(text) ?? [];
  if (part !== undefined && parts !== undefined)
    return Number(part) >= 1 && Number(part) <= Number(parts) && Number(parts) <= mostParts;
  if (!percentForm.test(text)) return sizeForm.test(text);
  const percent = Number(text.slice(0, -1));
  return percent > 0 && percent <= 100;
}
