/** The result of one run of a contender, in its own process. */
export interface Sample {
  readonly ms: number
  /** Further counts, e.g. calls per second or bytes read. */
  readonly counts?: Readonly<Record<string, number>>
}

/** The environment of a benchmark: its own folder on a real disk, the amount of data, and its servers. */
export interface Place {
  readonly dir: string
  /** Bytes. */
  readonly size: number
  /** The contenders that take part. */
  readonly contenders: readonly string[]
  /** URL of the deployment, if the benchmark has one. */
  readonly url?: string
  /** Environment variables for the S3 server, if the benchmark has one. */
  readonly s3?: Readonly<Record<string, string>>
  /** Endpoint of the server for Google Cloud Storage, if the benchmark has one. */
  readonly gcs?: string
}

/** An upper or lower limit for a number of the benchmark. */
export interface Goal {
  readonly what: string
  readonly limit: number
  readonly sense: 'at most' | 'at least'
  readonly value: (of: Figures) => number
}

/** Medians of a contender over all rounds. */
export interface Figures {
  ms(contender: string): number
  /** The peak of all rounds, not the median. */
  peakRssMiB(contender: string): number
  count(contender: string, name: string): number
}

/** The position of a contender in a line chart: its line or panel, and its value on the x axis. */
export interface Point {
  readonly series: string
  readonly x: number
}

/** How a result is drawn. By default, it is drawn as bars of milliseconds on a linear axis. */
export interface Chart {
  /** Draws peak memory or one of the counts instead of time. */
  readonly measure?: 'memory' | { readonly count: string }
  readonly scale?: 'log'
  /** Draws a line for each series over the points of contenders. With `counts`, a panel per series with a line per count. */
  readonly along?: { readonly x: string; readonly counts?: readonly string[] }
}

export type Contender = (place: Place) => Promise<Sample>

export interface Benchmark {
  readonly title: string
  readonly chart?: Chart
  /** Bytes of data. The command line may override it. Absent if the benchmark needs no data. */
  readonly size?: number
  /** Contenders whose memory is meaningful. It is not meaningful for those that start another program, e.g. `cp`. */
  readonly measuresMemory: readonly string[]
  /** True if it needs a deployment. One server process is used for all rounds. */
  readonly deployment?: boolean
  /** True if it needs an S3 server. One server is used for all rounds. */
  readonly s3?: boolean
  /** True if it needs a server for Google Cloud Storage. One server is used for all rounds. */
  readonly gcs?: boolean
  /** Positions of contenders that differ by size. */
  readonly points?: Readonly<Record<string, Point>>
  /** Contenders with a larger `x` are omitted. The command line may override it. */
  readonly upTo?: number
  /** Contenders that can't run here, with the reasons. */
  readonly skipped?: Readonly<Record<string, string>>
  /** Runs once before the rounds. Creates the data that all contenders use. */
  setUp?(place: Place): Promise<void>
  /** Runs before each run of a contender. Removes what the previous run left outside of `out`. */
  clear?(place: Place): Promise<void>
  /** Each contender runs in a new process and measures itself, so that its preparation does not count. */
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
