import { describeBackend, inFolder } from '@ivcap/conformance'
import { localBackend } from '../src/index.js'

const partSize = 1024 * 1024

describeBackend(
  'the local folder',
  inFolder((baseDir) => localBackend({ baseDir }), {
    ids: 'path',
    digest: 'streams',
    recordsUploads: true,
    partSize,
  }),
)

describeBackend(
  'the local folder with digests',
  inFolder((baseDir) => localBackend({ baseDir, digest: true }), {
    ids: 'path',
    digest: 'all',
    recordsUploads: true,
    partSize,
  }),
)
