import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BackendHarness, testServices } from '@ivcap/conformance'
import { type Platform, startPlatform } from '@ivcap/platform-server'
import { platformBackend } from '../../src/index.js'

const TOKEN = 'a-token-of-the-conformance-suite'
let dir = ''
let platform: Platform | undefined

/** A deployment of its own for each test; `digest`: the backend keeps digests there. */
export const harness = (digest: boolean): BackendHarness => {
  const connect = () =>
    platformBackend({ url: platform?.url ?? '', token: TOKEN, stateDir: join(dir, 'state'), digest })
  return {
    async open() {
      dir = await mkdtemp(join(tmpdir(), 'ivcap-platform-'))
      const auth = { token: TOKEN }
      platform = await startPlatform({
        dir: join(dir, 'data'),
        auth,
        services: testServices,
        shutdownTimeout: 500,
      })
      return connect()
    },
    reopen: async () => connect(),
    async close() {
      await platform?.close()
      await rm(dir, { recursive: true, force: true })
    },
    capabilities: {
      ids: 'uuid',
      digest: digest ? 'all' : 'none',
      recordsUploads: true,
      partSize: 1 << 20,
    },
  }
}
