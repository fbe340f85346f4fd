// node scripts/servers.mjs install|up|down|status [names …]: manages the real servers that tests and benchmarks run against.
// `hold NAME`: runs one in a temporary folder until standard input ends, even if the process that writes to it is killed.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { helpFor } from './lib/help.mjs'
import { bringUp, folderOf, running, servers, takeDown } from './lib/servers.mjs'

helpFor(import.meta.url)

/** @typedef {import('./lib/servers.mjs').Server} Server */

/** @type {Readonly<Record<string, (server: Server) => Promise<void>>>} */
const commands = { install, up, down, status, hold }

const [command = '', ...names] = process.argv.slice(2)
const unknown = names.filter((name) => !servers.some((server) => server.name === name))
if (names.includes('--help')) {
  console.log(usage())
  process.exit(0)
}
const work = commands[command]
if (work === undefined || unknown.length > 0) {
  console.error(usage())
  process.exit(2)
}
try {
  for (const server of servers) {
    if (names.length === 0 || names.includes(server.name)) await work(server)
  }
} catch (error) {
  console.error(`servers.mjs ${command}: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
}

function usage() {
  return `usage: servers.mjs install|up|down|status|hold [${servers.map(({ name }) => name).join('|')} …]`
}

/** @param {Server} server */
async function install(server) {
  if (!server.present()) await server.install()
  if (!server.present()) throw new Error(`${server.name} was installed, but its programs aren't found`)
  console.log(`${server.name} is installed`)
}

/** @param {Server} server */
function assertInstalled({ name, present }) {
  if (!present()) throw new Error(`${name} is not installed: npm run servers:install -- ${name}`)
}

/** @param {Server} server */
async function up(server) {
  const start = Date.now()
  const found = running(folderOf(server))
  assertInstalled(server)
  const env = found ?? (await bringUp(server, folderOf(server)))
  const how = found ? 'runs already' : `runs, after ${((Date.now() - start) / 1000).toFixed(1)} s`
  console.log(`# ${server.name} ${how}`)
  for (const [name, value] of Object.entries(env)) console.log(`export ${name}=${value}`)
}

/** @param {Server} server */
async function down(server) {
  await takeDown(folderOf(server))
  console.log(`${server.name} is stopped`)
}

/** @param {Server} server */
async function status(server) {
  const env = running(folderOf(server))
  const installed = server.present() ? 'installed' : 'not installed'
  console.log(`${server.name}: ${env ? `runs in ${folderOf(server)}` : `stopped, ${installed}`}`)
}

/** Prints the environment of the server as one line of JSON once it runs. @param {Server} server */
async function hold(server) {
  assertInstalled(server)
  const folder = mkdtempSync(join(tmpdir(), `ivcap-${server.name}-`))
  // Ctrl-C signals the whole process group, but only the end of standard input may end this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)
  const ended = new Promise((resolve) => process.stdin.on('end', resolve).on('error', resolve).resume())
  try {
    console.log(JSON.stringify(await bringUp(server, folder)))
    await ended
  } finally {
    await takeDown(folder)
  }
}
