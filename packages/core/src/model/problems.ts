/** The kinds of problems that `verify()` finds. */
export type ProblemKind =
  /** The record of an artifact refers to bytes that do not exist. */
  | 'missing-content'
  /** The number of bytes differs from the record. */
  | 'wrong-size'
  /** The bytes do not have the recorded digest. */
  | 'wrong-digest'
  /** A record that cannot be read: it is not JSON, not a record, or its id differs from its name. */
  | 'unreadable-record'
  /** A record that is found by one lookup but not by another, because an index entry is lost or stale. */
  | 'wrong-index'
  /** Bytes or an index entry without a record. */
  | 'orphan'
  /** Something that this process may not read, or that is not a regular file. */
  | 'unreadable'

/** One damaged or orphaned item of a backend. */
export interface Problem {
  readonly kind: ProblemKind
  /** The URN, key or path that the problem is about. */
  readonly resource: string
  /** One sentence: the expected and the actual state. */
  readonly message: string
  /** Whether `repair()` can derive the missing data. */
  readonly repairable: boolean
}

export interface VerifyOptions {
  /** Whether the bytes of artifacts with a recorded digest are read and compared. @default true */
  readonly digests?: boolean | undefined
}
