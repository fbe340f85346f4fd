import { describeCosts } from '../src/index.js'
import { mapBlobs } from './map-blobs.js'

for (const aspects of [20, 20_000]) {
  describeCosts('queries of the engine', { open: async () => mapBlobs(), close: async () => {}, aspects })
}
