// Real servers that tests run against, each in a module of scripts/servers.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { ceph } from '../servers/ceph.mjs'
import { gcs } from '../servers/gcs.mjs'
import { allRun, stopDaemons } from './daemons.mjs'

/**
 * @typedef {object} Server
 * @property {string} name e.g. `ceph`
 * @property {string} tests what is not run without it, in a few words
 * @property {() => boolean} present whether its programs are installed
 * @property {() => Promise<void>} install
 * @property {(folder: string) => Promise<Record<string, string>>} up starts it by `startDaemon(folder, …)`, with all its
 * state below that folder, which is empty; tells the environment by which tests find it
 */

/** @type {readonly Server[]} */
export const servers = [ceph, gcs]

/** Where the servers live that `npm run servers:up` starts; one user's, on one machine. */
const common = join(process.env['IVCAP_SERVERS_DIR'] || join(tmpdir(), `ivcap-servers-${userInfo().uid}`))

/** @param {Server} server */
export const folderOf = (server) => join(common, server.name)

/** The environment of a server that runs; undefined if it doesn't. @param {string} folder */
export function running(folder) {
  if (!allRun(folder)) return undefined
  try {
    /** @type {Record<string, string>} */
    const env = JSON.parse(readFileSync(join(folder, 'env.json'), 'utf8'))
    return env
  } catch {
    return undefined // it is starting
  }
}

/** Starts a server in an emptied folder. @param {Server} server @param {string} folder */
export async function bringUp(server, folder) {
  await takeDown(folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    const env = await server.up(folder)
    writeFileSync(join(folder, 'env.json'), JSON.stringify(env))
    return env
  } catch (error) {
    await stopDaemons(folder) // the logs stay
    throw error
  }
}

/** Stops the server of that folder and removes its state. @param {string} folder */
export async function takeDown(folder) {
  await stopDaemons(folder)
  rmSync(folder, { recursive: true, force: true })
}
