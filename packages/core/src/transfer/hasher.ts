/** Takes bytes as they come and tells their digest at the end. */
export interface Hasher {
  update(bytes: Uint8Array): void
  /** Lower-case hex. Once. */
  digest(): string
}
