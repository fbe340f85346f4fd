import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { type Fault, faultProxy } from '../src/faults/fault-proxy.js'

/** A server that answers with the number of the request and what it got; behind a proxy that does this to the first one. */
async function place(fault: Fault) {
  const got: string[] = []
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    got.push(`${req.method} ${Buffer.concat(chunks)}`)
    res.end(`answer ${got.length}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const proxy = await faultProxy(`http://127.0.0.1:${port}`, (_, n) => (n === 0 ? fault : undefined))
  const send = async (body: string) => (await fetch(proxy.url, { method: 'PUT', body })).text()
  return { got, proxy, send }
}

it('a request that comes twice is answered once, by the second answer', async () => {
  const { got, send } = await place({ kind: 'twice' })
  expect(await send('one')).toBe('answer 2')
  expect(got).toEqual(['PUT one', 'PUT one'])
})

it('a late request fails, and comes after those that were sent later', async () => {
  const { got, proxy, send } = await place({ kind: 'late', ms: 1_000 })
  await expect(send('one')).rejects.toThrow()
  expect(await send('two')).toBe('answer 1')
  await proxy.settled()
  expect(got).toEqual(['PUT two', 'PUT one'])
})

it('an answer that is overtaken comes after that to a later request', async () => {
  const { send, proxy } = await place({ kind: 'overtaken', ms: 5_000 })
  const order: string[] = []
  const first = send('one').then(() => order.push('one'))
  while (proxy.seen.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const second = send('two').then(() => order.push('two'))
  await Promise.all([first, second])
  expect(order).toEqual(['two', 'one'])
})

it('an answer that nobody overtakes comes all the same', async () => {
  const { send } = await place({ kind: 'overtaken', ms: 10 })
  expect(await send('one')).toBe('answer 1')
})

it('a request is whole after its delay', async () => {
  const { got, send } = await place({ kind: 'delay', ms: 20 })
  const body = 'x'.repeat(300_000)
  expect(await send(body)).toBe('answer 1')
  expect(got).toEqual([`PUT ${body}`])
})

it('one bit of an answer is flipped', async () => {
  const { send } = await place({ kind: 'flip', at: 7 })
  expect(await send('one')).toBe('answer 0')
  expect(await send('two')).toBe('answer 2')
})

it('one bit of a request is flipped', async () => {
  const { got, send } = await place({ kind: 'flip-sent', at: 2 })
  expect(await send('one')).toBe('answer 1')
  expect(await send('two')).toBe('answer 2')
  expect(got).toEqual(['PUT ond', 'PUT two'])
})

it('a connection is closed after an answer that is whole and says that it stays open', async () => {
  const { proxy } = await place({ kind: 'close' })
  const answer = await fetch(proxy.url, { method: 'PUT', body: 'one' })
  expect(answer.headers.get('connection')).toBe('keep-alive')
  expect(await answer.text()).toBe('answer 1')
  await expect.poll(() => proxy.closed, { timeout: 10_000 }).toBe(1)
})

it('an empty page comes first, and its token asks for the page itself', async () => {
  const { got, proxy, send } = await place({ kind: 'empty-page', page: (token) => token })
  const token = await send('list')
  expect(got).toEqual([])
  const next = await fetch(`${proxy.url}/?page=${token}&limit=1`, { method: 'PUT', body: 'list' })
  expect(await next.text()).toBe('answer 1')
  expect(got).toEqual(['PUT list'])
})
