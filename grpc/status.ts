/** Status codes of gRPC. */
export const STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type StatusName = keyof typeof STATUS;

const NAMES = Object.keys(STATUS) as StatusName[];

/** @param code any number; one that gRPC does not know is UNKNOWN */
export function statusName(code: number): StatusName {
  return NAMES[code] ?? "UNKNOWN";
}

/** Structured reason, `google.rpc.ErrorInfo`: sent in `grpc-status-details-bin`. */
export interface ErrorInfo {
  /** Constant in UPPER_SNAKE_CASE, unique in its domain. */
  reason: string;
  /** Name of the service that has defined the reason. */
  domain: string;
  metadata?: Readonly<Record<string, string>>;
}

/** Wrong field of a request, `google.rpc.BadRequest.FieldViolation`: sent in `grpc-status-details-bin`. */
export interface FieldViolation {
  /** Path with dots, in the names of the proto file: `store_id`. */
  field: string;
  /** Requirement of the field. */
  description: string;
}

/** Details of an error, for programs. */
export interface ErrorDetails {
  info?: ErrorInfo;
  fieldViolations?: readonly FieldViolation[];
}

/** End of a call with a status other than OK. Handlers throw it, calls reject with it. */
export class GrpcError extends Error {
  override name = "GrpcError";
  readonly info: ErrorInfo | undefined;
  /** Empty if no field is named. */
  readonly fieldViolations: readonly FieldViolation[];

  /** @param message sent to the caller as `grpc-message` */
  constructor(
    readonly status: StatusName,
    message: string,
    options: ErrorOptions & ErrorDetails = {},
  ) {
    super(message, options);
    this.info = options.info;
    this.fieldViolations = options.fieldViolations ?? [];
  }
}
