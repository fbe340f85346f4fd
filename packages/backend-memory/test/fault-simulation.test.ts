import {
  describeFaults,
  faultyBlobs,
  interruptedBlobs,
  jumpingClock,
  randomOf,
  retryingBlobs,
  writerTo,
} from '@ivcap/conformance'
import { blobBackend } from '@ivcap/core/engine'
import { memoryBlobs } from '../src/memory-blobs.js'

/** Calls after which a writer is no more, at the most: some it makes in its first steps, some in its last. */
const MOST_CALLS = 300

describeFaults('memory', {
  rounds: 20,
  async open(seed) {
    const blobs = memoryBlobs()
    const random = randomOf(seed)
    const faulty = faultyBlobs(blobs, {
      seed,
      rate: 0.2,
      inARow: 3,
      verified: (key) => key.startsWith('artifacts/'),
    })
    const view = (of = faulty) => blobBackend(retryingBlobs(of), { clock: jumpingClock(random) })
    const dying = interruptedBlobs(faulty, Math.floor(random() * MOST_CALLS)).blobs
    return {
      faulty: view(),
      others: [writerTo(view({ ...faulty, ...dying }))],
      healthy: async () => {
        await faulty.settled()
        return blobBackend(blobs)
      },
    }
  },
})
