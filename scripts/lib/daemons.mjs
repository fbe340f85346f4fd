// Programs that outlive this process and are stopped by another one. A file in a folder lists the running ones.
import { spawn } from 'node:child_process'
import { accessSync, appendFileSync, constants, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** @typedef {{ name: string, pid: number, started: string }} Daemon */

/** Returns the path of a program, or undefined if it isn't installed. @param {string} name */
export function programPath(name) {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** @param {string} folder */
const list = (folder) => join(folder, 'daemons')

/** @param {string} folder @returns {readonly Daemon[]} in the order of their start */
function daemonsOf(folder) {
  try {
    const lines = readFileSync(list(folder), 'utf8').split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line))
  } catch {
    return []
  }
}

/** Returns the start time of a process, which distinguishes it from a later one with the same id. @param {number} pid */
function startOf(pid) {
  try {
    // The name, in parentheses, may contain spaces, so fields are counted after it. This is field 22 of proc(5).
    const [state, ...fields] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ')
    return state === 'Z' ? undefined : fields[18]
  } catch {
    return undefined
  }
}

/** @param {Daemon} daemon */
const alive = ({ pid, started }) => startOf(pid) === started

/** Returns true if all programs that were started in the folder still run. @param {string} folder */
export function allRun(folder) {
  const daemons = daemonsOf(folder)
  return daemons.length > 0 && daemons.every(alive)
}

/**
 * Starts a program that outlives this process. Its output goes to `<folder>/<name>.log`.
 *
 * @param {string} folder
 * @param {string} name
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function startDaemon(folder, name, program, args, env = process.env) {
  const log = openSync(join(folder, `${name}.log`), 'a')
  const child = spawn(program, args, { cwd: folder, env, detached: true, stdio: ['ignore', log, log] })
  child.on('error', () => undefined) // the program can't be started; untilListening reports that
  child.unref()
  if (child.pid === undefined) return
  /** @type {Daemon} */
  const daemon = { name, pid: child.pid, started: startOf(child.pid) ?? '' }
  appendFileSync(list(folder), `${JSON.stringify(daemon)}\n`)
}

/** Stops the programs that were started in the folder, the last one first, and deletes the list. @param {string} folder */
export async function stopDaemons(folder) {
  for (const daemon of [...daemonsOf(folder)].reverse()) {
    if (!alive(daemon)) continue
    process.kill(daemon.pid, 'SIGTERM')
    for (let waited = 0; waited < 5000 && alive(daemon); waited += 50) await sleep(50)
    if (alive(daemon)) process.kill(daemon.pid, 'SIGKILL')
  }
  rmSync(list(folder), { force: true })
}

/** Returns ports of 127.0.0.1 that are not in use now. @param {number} count @returns {Promise<readonly number[]>} */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise((resolve, reject) => {
          server.on('error', reject).listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(address !== null && typeof address === 'object' ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** @param {number} port @returns {Promise<boolean>} */
function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/**
 * Waits until a program listens on the port.
 *
 * @param {number} port
 * @param {string} folder whose programs must all be alive meanwhile
 * @param {number} seconds
 */
export async function untilListening(port, folder, seconds) {
  const end = Date.now() + seconds * 1000
  while (!(await listens(port))) {
    if (!allRun(folder)) throw new Error(`a program has ended before it listened: see the logs in ${folder}`)
    if (Date.now() > end) throw new Error(`nobody listens at port ${port} after ${seconds} s: see ${folder}`)
    await sleep(100)
  }
}
