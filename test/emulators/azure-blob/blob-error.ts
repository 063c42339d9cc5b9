/** An answer that is an error: the code of the public API reference, its status, and further elements of the body. */
export class BlobError extends Error {
  readonly code: BlobErrorCode;
  readonly status: number;
  readonly details: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: BlobErrorCode,
    details: Readonly<Record<string, string>> = {},
    options: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly status?: number;
      readonly message?: string;
    } = {},
  ) {
    const [status, text] = codes[code];
    super(options.message ?? text);
    this.name = "BlobError";
    this.code = code;
    this.status = options.status ?? status;
    this.details = details;
    this.headers = options.headers ?? {};
  }
}

/** Returns the error of a header whose value is not understood. */
export function invalidHeader(name: string, value: string): BlobError {
  return new BlobError("InvalidHeaderValue", { HeaderName: name, HeaderValue: value });
}

/** Returns the error of a query parameter whose value is not understood. */
export function invalidQuery(name: string, value: string): BlobError {
  return new BlobError("InvalidQueryParameterValue", { QueryParameterName: name, QueryParameterValue: value });
}

const codes = {
  AuthenticationFailed: [
    403,
    "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
  ],
  AuthorizationFailure: [403, "This request is not authorized to perform this operation."],
  AuthorizationPermissionMismatch: [
    403,
    "This request is not authorized to perform this operation using this permission.",
  ],
  AuthorizationProtocolMismatch: [403, "This request is not authorized to perform this operation using this protocol."],
  AuthorizationResourceTypeMismatch: [
    403,
    "This request is not authorized to perform this operation using this resource type.",
  ],
  AuthorizationServiceMismatch: [403, "This request is not authorized to perform this operation using this service."],
  AuthorizationSourceIPMismatch: [
    403,
    "This request is not authorized to perform this operation using this source IP.",
  ],
  BlobAlreadyExists: [409, "The specified blob already exists."],
  BlobArchived: [409, "This operation is not permitted on an archived blob."],
  BlobBeingRehydrated: [409, "This operation is not permitted because the blob is being rehydrated."],
  BlobCustomerSpecifiedEncryptionMismatch: [
    409,
    "The given customer specified encryption does not match the encryption used to encrypt the blob.",
  ],
  BlobDoesNotUseCustomerSpecifiedEncryption: [
    409,
    "The blob is not encrypted with customer specified encryption, but customer specified encryption was provided in the request.",
  ],
  BlobImmutableDueToLegalHold: [
    409,
    "This operation is not permitted as the blob is immutable due to one or more legal holds.",
  ],
  BlobImmutableDueToPolicy: [409, "This operation is not permitted as the blob is immutable due to a policy."],
  BlobNotFound: [404, "The specified blob does not exist."],
  BlobUsesCustomerSpecifiedEncryption: [
    409,
    "The blob is encrypted with customer specified encryption, but it was not provided in the request.",
  ],
  BlockCountExceedsLimit: [409, "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks."],
  BlockListTooLong: [400, "The block list may not contain more than 50,000 blocks."],
  BothCrc64AndMd5HeaderPresent: [400, "Both x-ms-content-crc64 header and Content-MD5 header are present."],
  CannotVerifyCopySource: [500, "Could not verify the copy source within the specified time."],
  ConditionNotMet: [412, "The condition specified using HTTP conditional header(s) is not met."],
  ContainerAlreadyExists: [409, "The specified container already exists."],
  ContainerNotFound: [404, "The specified container does not exist."],
  CopyIdMismatch: [409, "The specified copy ID did not match the copy ID for the pending copy operation."],
  Crc64Mismatch: [
    400,
    "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.",
  ],
  DuplicateTagNames: [400, "The tags specified contain duplicate names."],
  EmptyMetadataKey: [400, "The key for one of the metadata key-value pairs is empty."],
  EmptyTagName: [400, "The name of one of the tag key-value pairs is empty."],
  ImmutabilityPolicyDeleteOnLockedPolicy: [409, "The immutability policy of the blob is locked and cannot be removed."],
  InternalError: [500, "The server encountered an internal error. Please retry the request."],
  InvalidAuthenticationInfo: [
    400,
    "Authentication information is not given in the correct format. Check the value of Authorization header.",
  ],
  InvalidBlobOrBlock: [400, "The specified blob or block content is invalid."],
  InvalidBlobTier: [400, "The specified blob tier is invalid."],
  InvalidBlobType: [409, "The blob type is invalid for this operation."],
  InvalidBlockId: [400, "The specified block ID is invalid. The block ID must be Base64-encoded."],
  InvalidBlockList: [400, "The specified block list is invalid."],
  InvalidHeaderValue: [400, "The value for one of the HTTP headers is not in the correct format."],
  InvalidInput: [400, "One of the request inputs is not valid."],
  InvalidMd5: [
    400,
    "The MD5 value specified in the request is invalid. The MD5 value must be 128 bits and Base64-encoded.",
  ],
  InvalidMetadata: [400, "The metadata specified is invalid. It has characters that are not permitted."],
  InvalidQueryParameterValue: [400, "Value for one of the query parameters specified in the request URI is invalid."],
  InvalidRange: [416, "The range specified is invalid for the current size of the resource."],
  InvalidResourceName: [400, "The specified resource name contains invalid characters."],
  InvalidTag: [400, "The tags specified are invalid. It contains characters that are not permitted."],
  InvalidUri: [400, "The requested URI does not represent any resource on the server."],
  InvalidXmlDocument: [400, "XML specified is not syntactically valid."],
  KeyBasedAuthenticationNotPermitted: [403, "Key based authentication is not permitted on this storage account."],
  Md5Mismatch: [
    400,
    "The MD5 value specified in the request did not match with the MD5 value calculated by the server.",
  ],
  MetadataTooLarge: [400, "The size of the specified metadata exceeds the maximum size permitted."],
  MissingContentLengthHeader: [411, "Content-Length HTTP header was not specified."],
  MissingRequiredHeader: [400, "An HTTP header that's mandatory for this request is not specified."],
  MissingRequiredQueryParameter: [400, "A query parameter that's mandatory for this request is not specified."],
  NoAuthenticationInformation: [
    401,
    "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
  ],
  NoPendingCopyOperation: [409, "There is currently no pending copy operation."],
  NotImplemented: [501, "The requested operation is not implemented on the specified resource."],
  OperationNotAllowedOnRootBlob: [403, "The specified operation is not allowed on the root blob."],
  OutOfRangeInput: [400, "The specified resource name length is not within the permissible limits."],
  OutOfRangeQueryParameterValue: [
    400,
    "One of the query parameters specified in the request URI is outside the permissible range.",
  ],
  PendingCopyOperation: [409, "There is currently a pending copy operation."],
  RequestBodyTooLarge: [413, "The request body is too large and exceeds the maximum permissible limit."],
  RequestForbiddenByContainerEncryptionPolicy: [
    403,
    "This request is forbidden by the encryption policy of the container.",
  ],
  ResourceNotFound: [404, "The specified resource does not exist."],
  ServerBusy: [503, "The server is currently unable to receive requests. Please retry your request."],
  SnapshotsPresent: [409, "This operation is not permitted because the blob has snapshots."],
  SourceConditionNotMet: [412, "The source condition specified using HTTP conditional header(s) is not met."],
  TagsTooLarge: [400, "The tags specified exceed the maximum permissible limit."],
  UnauthorizedBlobOverwrite: [403, "This request is not authorized to perform blob overwrites."],
  UnsupportedHeader: [400, "One of the HTTP headers specified in the request is not supported."],
  UnsupportedHttpVerb: [405, "The resource doesn't support specified Http Verb."],
} as const satisfies Record<string, readonly [number, string]>;

/** The codes that the stand-in answers with. */
export type BlobErrorCode = keyof typeof codes;
