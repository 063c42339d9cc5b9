/**
 * The header by which a host promises to end each put with a message without body, so that any other end is a put that
 * broke off. The server does not know it: when its own reading fails, or a client of Node's is cancelled, the stream ends
 * as a complete one does, and a plugin cannot tell. Our own host sets it.
 */
export const explicitEndHeader = "flotilla-explicit-end";
