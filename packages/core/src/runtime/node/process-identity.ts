import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * Identifies this process, so that other processes recognise what it left behind when it ended: `<place>-<pid>-<start>`. A process
 * id alone is not enough: ids are reused, and in containers most processes have the same one. `place` is a hash of the host and
 * its pid namespace. `start` is the start time of the process if the system provides it (Linux), else 0.
 */
export function processIdentity(): string {
  mine ??= `${placeOf()}-${process.pid}-${startOf('self') ?? 0}`
  return mine
}
let mine: string | undefined

/** See `Runtime.isProcessGone`. */
export function isProcessGone(owner: string, lastChange: number, patience: number): boolean {
  const [place, pid, start] = owner.split('-')
  if (owner === processIdentity()) return false
  if (place === placeOf() && pid !== undefined && /^\d+$/.test(pid))
    return !isRunning(Number(pid), start ?? '0')
  return Date.now() - lastChange > patience
}

function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0)
  } catch (e) {
    // EPERM: the process exists and belongs to another user
    return e instanceof Error && 'code' in e && e.code === 'EPERM'
  }
  const now = startOf(String(pid))
  return start === '0' || now === undefined || now === start
}

/** Start time of a process in clock ticks since boot: field 22 of stat in proc(5), counted after the name in brackets. */
function startOf(pid: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

let place: string | undefined
function placeOf(): string {
  place ??= createHash('sha256').update(`${hostname()} ${pidSpace()}`).digest('hex').slice(0, 12)
  return place
}

function pidSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}
