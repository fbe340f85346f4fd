/** The conformance suite's part on artifacts, with the platform's backend as it runs in a real browser. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { artifactAreas, type BackendHarness, describeBackend } from '@ivcap/conformance'
import { type Platform, startPlatform } from '@ivcap/platform-server'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe } from 'vitest'
import { type BackendPage, openPage } from './bridge/backend.js'
import { executable, startChromium } from './support/chromium.js'
import { type Site, serveSite } from './support/site.js'

const token = 'a-token-of-the-conformance-suite'

describe.runIf(executable !== undefined)('in Chromium', { timeout: 60_000 }, () => {
  let browser: Browser
  let site: Site
  let page: BackendPage
  let dir: string
  let platform: Platform

  beforeAll(async () => {
    site = await serveSite('bridge/page.ts')
    browser = await startChromium(executable ?? '')
    page = await openPage(await browser.newContext(), site.url)
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    site?.close()
  })

  const place = () => ({ url: platform.url, token })

  const harness: BackendHarness = {
    async open() {
      dir = await mkdtemp(join(tmpdir(), 'ivcap-browser-'))
      platform = await startPlatform({ dir, auth: { token }, shutdownTimeout: 100 })
      return page.connect(place())
    },
    async reopen() {
      const other = await openPage(await browser.newContext(), site.url)
      return other.connect(place())
    },
    async close() {
      await platform.close()
      await rm(dir, { recursive: true, force: true })
    },
    capabilities: { ids: 'uuid', digest: 'none', recordsUploads: true, partSize: 1 << 20 },
  }
  describeBackend('platform', harness, { areas: artifactAreas })
})
