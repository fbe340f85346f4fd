// The global setup of vitest: an HTTP server from which tests request a real server, GET <IVCAP_TEST_SERVERS>/<name>. The first
// request starts the real server; the end of the run stops it. A server that `npm run servers:up` started is used but not stopped.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from './run.mjs'
import { folderOf, running, servers } from './servers.mjs'

/** @typedef {{ env: Promise<Record<string, string>>, stop: () => Promise<void> }} Held */

export default async function setup() {
  /** @type {Map<string, Held>} */
  const held = new Map()

  /** @param {string} name @returns {Promise<Record<string, string> | undefined>} undefined: it isn't installed */
  async function environmentOf(name) {
    const server = servers.find((known) => known.name === name)
    if (server === undefined) throw new Error(`there is no server "${name}" in scripts/servers`)
    const found = running(folderOf(server))
    if (found) return found
    if (!server.present()) return undefined
    const mine = held.get(name) ?? hold(name)
    held.set(name, mine)
    return mine.env
  }

  const desk = createServer(async (request, response) => {
    try {
      const env = await environmentOf(request.url?.slice(1) ?? '')
      response.writeHead(env ? 200 : 404, { connection: 'close' }).end(JSON.stringify(env ?? {}))
    } catch (error) {
      response.writeHead(500, { connection: 'close' }).end(String(error))
    }
  })
  await new Promise((resolve) => desk.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = desk.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  process.env['IVCAP_TEST_SERVERS'] = `http://127.0.0.1:${address.port}`

  return async () => {
    await Promise.all([...held.values()].map((server) => server.stop()))
    desk.close()
  }
}

/** @param {string} name @returns {Held} */
function hold(name) {
  const script = join(root, 'scripts/servers.mjs')
  const child = spawn(process.execPath, [script, 'hold', name], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  /** @type {Promise<Record<string, string>>} */
  const env = new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => resolve(JSON.parse(line)))
    ended.then(() => reject(new Error(`${name} didn't start:\n${said}`)))
  })
  env.catch(() => undefined) // the requests for this server report the error
  return {
    env,
    stop: async () => {
      child.stdin.end()
      await ended
    },
  }
}
