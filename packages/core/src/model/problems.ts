/** What `verify()` can find in a place. */
export type ProblemKind =
  /** The record of an artifact names bytes that are not there. */
  | 'missing-content'
  /** The bytes are fewer or more than the record says. */
  | 'wrong-size'
  /** The bytes do not have the digest that was recorded. */
  | 'wrong-digest'
  /** A record that cannot be read: not JSON, not a record, or of another id than its name says. */
  | 'unreadable-record'
  /** A record that is found in one way but not in another, because an index entry is lost or stale. */
  | 'wrong-index'
  /** Bytes or an index entry without a record. */
  | 'orphan'
  /** Something that this process may not read, or that is no regular file. */
  | 'unreadable'

/** One thing that is damaged or orphaned in a place. */
export interface Problem {
  readonly kind: ProblemKind
  /** The URN, key or path that it is about. */
  readonly resource: string
  /** One sentence: what was expected and what is there. */
  readonly message: string
  /** Whether `repair()` can derive what is missing from what is there. */
  readonly repairable: boolean
}

export interface VerifyOptions {
  /** Whether the bytes of artifacts with a recorded digest are read and compared. @default true */
  readonly digests?: boolean | undefined
}
