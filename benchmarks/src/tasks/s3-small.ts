import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { s3Blobs } from '@ivcap/storage-s3'
import type { Benchmark, Place } from '../benchmark.js'
import { OPENDAL, opendal } from '../s3-peers.js'
import { clientOf, s3Of } from '../s3-server.js'
import { by, putAndGet, speedGoals, titleOf, type Way } from '../small-blobs.js'

const BLOBS = 500

const SDK = 'SDK: PutObject, GetObject'
const OURS = 'ivcap: put, get'

function bare(place: Place): Way {
  const client = clientOf(place)
  const { bucket: Bucket } = s3Of(place)
  return {
    put: (Key, Body) => client.send(new PutObjectCommand({ Bucket, Key, Body })),
    async get(Key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
      return (await Body?.transformToByteArray())?.byteLength ?? 0
    },
    close: () => client.destroy(),
  }
}

function byOpendal(place: Place): Way {
  const operator = opendal(place)
  return {
    put: (key, bytes) => operator.write(key, Buffer.from(bytes)),
    get: async (key) => (await operator.read(key)).byteLength,
    close: () => {},
  }
}

export const s3Small: Benchmark = {
  title: titleOf(BLOBS, 'a bucket'),
  s3: true,
  measuresMemory: [SDK, OPENDAL, OURS],
  contenders: {
    [SDK]: (place) => putAndGet(BLOBS, bare(place)),
    [OPENDAL]: (place) => putAndGet(BLOBS, byOpendal(place)),
    [OURS]: (place) => putAndGet(BLOBS, by(s3Blobs(s3Of(place)))),
  },
  goals: speedGoals(OURS, SDK, 1.5),
}
