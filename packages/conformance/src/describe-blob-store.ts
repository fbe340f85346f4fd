import { describe } from 'vitest'
import { aborting } from './blobs/aborting.js'
import { getting } from './blobs/getting.js'
import { listing } from './blobs/listing.js'
import type { BlobPlace } from './blobs/place.js'
import { putting } from './blobs/putting.js'
import type { BlobStoreHarness } from './harness.js'
import { placeOf } from './support/place.js'

const areas: Readonly<Record<string, (place: BlobPlace) => void>> = {
  put: putting,
  'get, head and delete': getting,
  list: listing,
  aborts: aborting,
}

/** Registers the tests that every blob store must pass. Call it from a vitest file. */
export function describeBlobStore(name: string, harness: BlobStoreHarness): void {
  describe(name, () => {
    const place = placeOf(harness)
    for (const [area, define] of Object.entries(areas)) describe(area, () => define(place))
  })
}
