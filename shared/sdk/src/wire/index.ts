export { BytesMessage } from "./bytes-codec.ts";
export { errorKindTrailer } from "./error-kind-trailer.ts";
export { explicitEndHeader } from "./explicit-end-header.ts";
export * from "./gen/flotilla/v1/inspection_pb.ts";
export * as goPlugin from "./gen/go-plugin/plugin_pb.ts";
export { Health, HealthCheckResponse_ServingStatus } from "./gen/grpc/health_pb.ts";
export { StatusSchema } from "./gen/grpc/status_pb.ts";
export * as velero from "./gen/velero/generated_pb.ts";
export { methodDefinition, serviceDefinition } from "./service-definition.ts";
