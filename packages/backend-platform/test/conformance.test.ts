import { describeBackend } from '@ivcap/conformance'
import { harness } from './support/harness.js'

describeBackend('platform', harness(false))
describeBackend('platform, keeping digests', harness(true), {
  areas: ['artifact content', 'artifact records', 'ranges', 'failing uploads'],
})
