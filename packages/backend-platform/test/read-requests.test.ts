import { expect, it } from 'vitest'
import { clientOf, ID, isBlob, json, record } from './support/odd-server.js'

const RECORD = `GET /1/artifacts/${ID}`
const BLOB = `${RECORD}/blob`

/** A deployment whose artifact has this content, until a test replaces it. */
async function deployment(first: string) {
  const state = { body: first, status: 'ready' }
  const etag = () => state.body.replaceAll(' ', '-')
  const place = await clientOf((request, response) => {
    const { body, status } = state
    if (!isBlob(request)) return json(response, record({ size: body.length, status, etag: etag() }))
    const wanted = request.headers['if-match']
    if (wanted !== undefined && wanted !== `"${etag()}"`)
      return json(response, { message: 'another one' }, 412)
    response.writeHead(200, {
      'Content-Type': 'text/plain',
      ETag: `"${etag()}"`,
      'Content-Length': body.length,
    })
    response.end(body)
  })
  return { ...place, state }
}

it('an artifact that was just fetched is read with one request, later reads fetch the record again', async () => {
  const { ivcap, requests } = await deployment('0123456789')
  const artifact = await ivcap.getArtifact(ID)
  expect(await artifact.text()).toBe('0123456789')
  expect(requests).toEqual([RECORD, BLOB])
  expect(await artifact.text()).toBe('0123456789')
  expect(requests).toEqual([RECORD, BLOB, RECORD, BLOB])
})

it.each(['shorter', 'just as long', 'longer than before'])(
  'content that was replaced after the record was fetched is read as it is now: %s',
  async (now) => {
    const { ivcap, requests, state } = await deployment('a dozen char')
    const artifact = await ivcap.getArtifact(ID)
    state.body = now
    expect(await artifact.text()).toBe(now)
    expect(artifact.size).toBe(now.length)
    expect(requests).toEqual([RECORD, BLOB, RECORD, BLOB])
  },
)

it('a range beyond the old content is looked for in the new one', async () => {
  const { ivcap, state } = await deployment('short')
  const artifact = await ivcap.getArtifact(ID)
  state.body = 'a longer content'
  expect(await new Response(artifact.asStream({ range: { start: 9, end: 16 } })).text()).toBe('content')
})

it('an artifact that was not ready is looked at again', async () => {
  const { ivcap, requests, state } = await deployment('0123456789')
  state.status = 'pending'
  const artifact = await ivcap.getArtifact(ID)
  state.status = 'ready'
  expect(await artifact.text()).toBe('0123456789')
  expect(requests).toEqual([RECORD, RECORD, BLOB])
})
