// The real servers that tests run against. Each one is a module of scripts/servers.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { ceph } from '../servers/ceph.mjs'
import { gcs } from '../servers/gcs.mjs'
import { allRun, stopDaemons } from './daemons.mjs'

/**
 * @typedef {object} Server
 * @property {string} name e.g. `ceph`
 * @property {string} tests the tests that need it, in a few words
 * @property {() => boolean} present whether its programs are installed
 * @property {() => Promise<void>} install
 * @property {(folder: string) => Promise<Record<string, string>>} up starts it by `startDaemon(folder, …)`, with all its
 * state in that folder, which is empty; returns the environment that tests need to reach it
 */

/** @type {readonly Server[]} */
export const servers = [ceph, gcs]

/** Folder of the servers that `npm run servers:up` starts, one per user of a machine. */
const common = join(process.env['IVCAP_SERVERS_DIR'] || join(tmpdir(), `ivcap-servers-${userInfo().uid}`))

/** @param {Server} server */
export const folderOf = (server) => join(common, server.name)

/** Returns the environment of a running server, or undefined if it does not run. @param {string} folder */
export function running(folder) {
  if (!allRun(folder)) return undefined
  try {
    /** @type {Record<string, string>} */
    const env = JSON.parse(readFileSync(join(folder, 'env.json'), 'utf8'))
    return env
  } catch {
    return undefined // the server is still starting
  }
}

/** Empties a folder and starts a server in it. @param {Server} server @param {string} folder */
export async function bringUp(server, folder) {
  await takeDown(folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    const env = await server.up(folder)
    writeFileSync(join(folder, 'env.json'), JSON.stringify(env))
    return env
  } catch (error) {
    await stopDaemons(folder) // keeps the logs
    throw error
  }
}

/** Stops the server of that folder and removes its state. @param {string} folder */
export async function takeDown(folder) {
  await stopDaemons(folder)
  rmSync(folder, { recursive: true, force: true })
}
