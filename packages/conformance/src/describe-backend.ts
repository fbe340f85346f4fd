import { describe } from 'vitest'
import { aborts } from './backend/aborts.js'
import { artifactContent } from './backend/artifact-content.js'
import { artifactFailures } from './backend/artifact-failures.js'
import { artifactList } from './backend/artifact-list.js'
import { artifactNames } from './backend/artifact-names.js'
import { artifactProgress } from './backend/artifact-progress.js'
import { artifactRanges } from './backend/artifact-ranges.js'
import { artifactRecord } from './backend/artifact-record.js'
import { aspectContent } from './backend/aspect-content.js'
import { aspectLifecycle } from './backend/aspect-lifecycle.js'
import { aspectList } from './backend/aspect-list.js'
import { aspectRaces } from './backend/aspect-races.js'
import { aspectTime } from './backend/aspect-time.js'
import { collections } from './backend/collections.js'
import { contentPaths } from './backend/content-paths.js'
import { errors } from './backend/errors.js'
import { filters } from './backend/filters.js'
import { finding } from './backend/finding.js'
import { jobs } from './backend/jobs.js'
import { lineage } from './backend/lineage.js'
import { many } from './backend/many.js'
import type { BackendPlace } from './backend/place.js'
import { reopening } from './backend/reopening.js'
import { services } from './backend/services.js'
import { throughTheClient } from './backend/through-the-client.js'
import { worldMovedContent } from './backend/world-moved-content.js'
import { costs } from './backend/world-moved-costs.js'
import { worldMovedHandles } from './backend/world-moved-handles.js'
import { worldMovedJobs } from './backend/world-moved-jobs.js'
import { worldMovedSources } from './backend/world-moved-sources.js'
import type { BackendHarness } from './harness.js'
import { placeOf } from './support/place.js'

const areas = {
  'artifact content': artifactContent,
  'artifact names': artifactNames,
  'artifact records': artifactRecord,
  ranges: artifactRanges,
  progress: artifactProgress,
  'failing uploads': artifactFailures,
  'listing artifacts': artifactList,
  'aspect content': aspectContent,
  'aspects come and go': aspectLifecycle,
  'listing aspects': aspectList,
  filters,
  'content paths': contentPaths,
  finding,
  'time travel': aspectTime,
  'writers at the same time': aspectRaces,
  collections,
  services,
  jobs,
  'outputs of jobs': worldMovedJobs,
  lineage,
  aborts,
  errors,
  'another process': reopening,
  'through the client': throughTheClient,
  many,
  'the world moved: sources': worldMovedSources,
  'the world moved: costs': costs,
  'the world moved: content': worldMovedContent,
  'the world moved: handles': worldMovedHandles,
} satisfies Readonly<Record<string, (place: BackendPlace) => void>>

export type Area = keyof typeof areas

// Object.keys returns string[]: the keys of this literal are exactly those of its type.
const allAreas = Object.keys(areas) as Area[]

/** The areas that test bytes and their records, for a backend whose aspects are tested elsewhere. */
export const artifactAreas: readonly Area[] = [
  'artifact content',
  'artifact names',
  'artifact records',
  'ranges',
  'progress',
  'failing uploads',
  'listing artifacts',
  'aborts',
  'another process',
]

export interface DescribeOptions {
  /** The areas to test. A backend's own tests must run all of them. @default all areas */
  readonly areas?: readonly Area[]
}

/** Registers the tests that every backend must pass. Call it from a vitest file. */
export function describeBackend(
  name: string,
  harness: BackendHarness,
  { areas: chosen = allAreas }: DescribeOptions = {},
): void {
  describe(name, () => {
    const place = placeOf(harness)
    for (const area of chosen) describe(area, () => areas[area](place))
  })
}
