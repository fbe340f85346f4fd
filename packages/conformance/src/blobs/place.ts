import type { BlobStore } from '@ivcap/core/driver'
import type { BlobStoreCapabilities } from '../harness.js'
import type { Place } from '../support/place.js'

export type BlobPlace = Place<BlobStore, BlobStoreCapabilities>
