/** What one contender of a benchmark did once, in a process of its own. */
export interface Sample {
  readonly ms: number
  /** Further counts, e.g. calls a second, bytes read. */
  readonly counts?: Readonly<Record<string, number>>
}

/** Where a benchmark works: a folder of its own on a real disk, and how much data to use. */
export interface Place {
  readonly dir: string
  /** Bytes. */
  readonly size: number
  /** The contenders that take part. */
  readonly contenders: readonly string[]
  /** Of the deployment, where the benchmark has one. */
  readonly url?: string
  /** Of the S3 server, where the benchmark has one: the environment by which it is found. */
  readonly s3?: Readonly<Record<string, string>>
  /** Of the server for Google Cloud Storage, where the benchmark has one. */
  readonly gcs?: string
}

/** A number that the benchmark is to stay below, or above. */
export interface Goal {
  readonly what: string
  readonly limit: number
  readonly sense: 'at most' | 'at least'
  readonly value: (of: Figures) => number
}

/** Medians of a contender over all rounds. */
export interface Figures {
  ms(contender: string): number
  /** The peak, not the median. */
  peakRssMiB(contender: string): number
  count(contender: string, name: string): number
}

/** Where a contender stands in a chart of lines: which line, or which panel of them, and how far along the axis. */
export interface Point {
  readonly series: string
  readonly x: number
}

/** How a result is drawn: as bars of milliseconds on a linear axis, unless it says otherwise. */
export interface Chart {
  /** Peak memory, or one of the counts, instead of time. */
  readonly measure?: 'memory' | { readonly count: string }
  readonly scale?: 'log'
  /** Lines over the contenders' points: what lies along the axis; a line for each series, or a panel with one for each count. */
  readonly along?: { readonly x: string; readonly counts?: readonly string[] }
}

export type Contender = (place: Place) => Promise<Sample>

export interface Benchmark {
  readonly title: string
  readonly chart?: Chart
  /** Bytes, unless the command line says otherwise; absent: the benchmark needs no data. */
  readonly size?: number
  /** Whether the memory of the processes says something (it does not for those that start `cp`). */
  readonly measuresMemory: readonly string[]
  /** Whether it needs a deployment: one server process for all rounds. */
  readonly deployment?: boolean
  /** Whether it needs an S3 server: one for all rounds. */
  readonly s3?: boolean
  /** Whether it needs a server for Google Cloud Storage: one for all rounds. */
  readonly gcs?: boolean
  /** Where contenders that differ by size stand. */
  readonly points?: Readonly<Record<string, Point>>
  /** Those of larger `x` are left out, unless the command line says otherwise. */
  readonly upTo?: number
  /** Contenders that can't run here, and why. */
  readonly skipped?: Readonly<Record<string, string>>
  /** Once, before the rounds: data that all contenders use. */
  setUp?(place: Place): Promise<void>
  /** Before each run: takes away what the one before has left outside of `out`. */
  clear?(place: Place): Promise<void>
  /** Each runs in a fresh process, and measures itself: what it prepares does not count. */
  readonly contenders: Readonly<Record<string, Contender>>
  readonly goals: readonly Goal[]
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

export const MiB = 1024 ** 2
export const GiB = 1024 ** 3
