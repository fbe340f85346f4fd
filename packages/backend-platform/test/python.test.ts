import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Ivcap } from '@ivcap/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { platformBackend } from '../src/index.js'
import { deployment, TOKEN } from './support/deployment.js'

const here = (path: string) => join(import.meta.dirname, path)

/** A Python that has IVCAP's client; undefined where none is installed. */
const python = [process.env['IVCAP_TEST_PYTHON'] ?? '', here('../../../.cache/python/bin/python')].find(
  (path) => path !== '' && existsSync(path),
)

describe.runIf(python !== undefined)("IVCAP's Python client", () => {
  it('reads collections that we made, changes them, and makes some that we read', async () => {
    const { url } = await deployment()
    const ivcap = new Ivcap(platformBackend({ url, token: TOKEN, stateDir: false }), { stateDir: false })
    const ours = await ivcap.createCollection({ name: 'Reef 7', description: 'of 2026' })
    const content = 'depth,temperature\n10,28.9\n'
    const cast = await ivcap.uploadArtifact({ name: 'cast.csv', content, collection: ours.id })
    await ours.add('urn:file:///data/a "b".nc')

    const theirs = 'urn:ivcap:collection:4be5e3a0-4d37-4c0c-9b0e-2f1f6f4c6b07'
    expect(await runPython(url, ours.id, theirs)).toEqual({
      found: [ours.id],
      before: { name: 'Reef 7', description: 'of 2026', items: ['urn:file:///data/a "b".nc', cast.id] },
      added: 'urn:example:by-python',
    })

    await ours.refresh()
    expect(ours.toJSON()).toEqual({ id: ours.id, name: 'Renamed 🐠' })
    const items = (await ours.items().toArray()).map(({ item }) => item)
    expect(items).toEqual(['urn:example:by-python', 'urn:file:///data/a "b".nc', cast.id])
    expect(await ours.remove('urn:example:by-python')).toBe(true)

    const made = await ivcap.getCollection(theirs)
    expect(made.toJSON()).toEqual({ id: theirs, name: "Python's", description: 'made there' })
    expect(await made.items().toArray()).toHaveLength(60)
    expect(await made.retract()).toBe(61)
  })
})

async function runPython(url: string, ...args: readonly string[]): Promise<unknown> {
  const stopped = new AbortController()
  onTestFinished(() => stopped.abort())
  const env = { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1', IVCAP_URL: url, IVCAP_JWT: TOKEN }
  const { stdout } = await promisify(execFile)(
    `${python}`,
    [here('support/python_collections.py'), ...args],
    {
      signal: stopped.signal,
      env,
    },
  )
  const said: unknown = JSON.parse(stdout)
  return said
}
