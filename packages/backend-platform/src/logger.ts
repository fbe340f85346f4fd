/** Where messages go; a console will do. */
export interface Logger {
  debug?(message: string): void
  warn?(message: string): void
}
