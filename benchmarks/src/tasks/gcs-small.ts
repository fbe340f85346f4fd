import { gcsBlobs } from '@ivcap/storage-gcs'
import type { Benchmark, Place } from '../benchmark.js'
import { bucketOf, gcsOf } from '../gcs-server.js'
import { by, putAndGet, speedGoals, titleOf, type Way } from '../small-blobs.js'

const BLOBS = 200

const VENDOR = 'vendor: save, download'
const OURS = 'ivcap: put, get'

/** Both clients check uploads and downloads by CRC32C. */
function vendor(place: Place): Way {
  const bucket = bucketOf(place)
  return {
    put: (key, bytes) =>
      bucket.file(key).save(Buffer.from(bytes), { resumable: false, validation: 'crc32c' }),
    async get(key) {
      const [bytes] = await bucket.file(key).download({ validation: 'crc32c' })
      return bytes.byteLength
    },
    close: () => {},
  }
}

export const gcsSmall: Benchmark = {
  title: titleOf(BLOBS, 'a bucket of Google Cloud Storage'),
  gcs: true,
  measuresMemory: [VENDOR, OURS],
  contenders: {
    [VENDOR]: (place) => putAndGet(BLOBS, vendor(place)),
    [OURS]: (place) => putAndGet(BLOBS, by(gcsBlobs(gcsOf(place)))),
  },
  goals: speedGoals(OURS, VENDOR, 0.9),
}
