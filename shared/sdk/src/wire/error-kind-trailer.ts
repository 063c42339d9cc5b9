/**
 * The trailer in which our plugins name the kind of a PluginError, for our own host: several kinds share a gRPC code.
 * The server ignores trailers that it does not know.
 */
export const errorKindTrailer = "flotilla-error-kind";
