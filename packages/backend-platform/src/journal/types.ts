import type { ByteSource, Urn } from '@ivcap/core/driver'

/** An upload that the deployment knows of. */
export interface Begun {
  readonly id: Urn
  /** Where the bytes go, as the deployment named it. */
  readonly dataHref: string
}

/** What `#journal` offers, in Node and in browsers. */
export interface Journals {
  /** @param stateDir Where to keep it (Node); default: the user's cache folder; false: nowhere. */
  openJournal(stateDir: string | false | undefined): Journal
}

/** Remembers uploads that are under way, for the next process. Nothing that it can't read or write stops an upload. */
export interface Journal {
  /**
   * Takes the place of the upload `subject` of this very file, unchanged. Undefined where there is none: the source isn't a
   * file, nothing can be kept, or somebody else is uploading the same just now.
   *
   * @param subject All that makes two uploads of one file the same: deployment, account, name, type…
   */
  claim(source: ByteSource, subject: string): Promise<Claim | undefined>
}

export interface Claim {
  /** What an earlier process began with the same file. */
  readonly earlier?: Begun
  keep(begun: Begun): Promise<void>
  forget(): Promise<void>
  /** Others may take the place; what was kept stays. Done already is done. */
  release(): void
}
