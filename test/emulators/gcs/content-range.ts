import { invalid } from "./gcs-error.ts";

/** What Content-Range says of a request of a resumable upload. */
export interface ContentRange {
  /** The first byte that is sent. */
  readonly start: number;
  /** The last byte that is sent; undefined where the request tells only by its end. */
  readonly end: number | undefined;
  /** The size of the object; undefined where it is not known yet. */
  readonly total: number | undefined;
  /** Whether nothing is sent and only the state is asked for. */
  readonly isQuestion: boolean;
}

const form = /^bytes (?:\*|(\d+)-(\d+|\*))\/(\d+|\*)$/;

/** Reads Content-Range; without one the request brings the whole object. */
export function readContentRange(header: string | undefined): ContentRange {
  if (header === undefined) return { start: 0, end: undefined, total: undefined, isQuestion: false };
  const match = form.exec(header);
  if (match === null) throw failed(header);
  const [, first, last, size] = match;
  const total = size === "*" ? undefined : Number(size);
  if (first === undefined) return { start: 0, end: undefined, total, isQuestion: true };
  const end = last === "*" ? undefined : Number(last);
  const start = Number(first);
  if (end !== undefined && (end < start || (total !== undefined && end >= total))) throw failed(header);
  return { start, end, total, isQuestion: false };
}

function failed(header: string): Error {
  return invalid(`Failed to parse Content-Range header: ${header}`);
}
