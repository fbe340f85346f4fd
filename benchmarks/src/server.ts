import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('../../scripts/servers.mjs', import.meta.url))

export interface Held {
  /** Environment variables that tell how to reach the server. */
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Starts one of scripts/servers for one benchmark. Returns undefined if it isn't installed. */
export async function holdServer(name: string, env: NodeJS.ProcessEnv = {}): Promise<Held | undefined> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'status', name])
  if (stdout.includes('not installed')) return undefined
  const child = spawn(process.execPath, [script, 'hold', name], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended])
  if (typeof line !== 'string') throw new Error(`${name} did not start`)
  const told: Record<string, string> = JSON.parse(line)
  return {
    env: told,
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
