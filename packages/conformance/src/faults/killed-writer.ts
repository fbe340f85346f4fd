import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Backend } from '@ivcap/core/driver'
import type { Writer } from './fault-simulation.js'
import { type Event, History } from './history.js'
import { randomOf } from './random.js'
import { type Job, runWorkload } from './workload.js'

/** Maximum number of events before a writer is killed. */
const MOST_EVENTS = 20
/** Milliseconds. */
const MOST_DELAY = 4
const LONGEST_STOP = 60

/**
 * Returns a writer that runs in its own process. The process is sometimes stopped for a while (SIGSTOP, SIGCONT). It is killed
 * (SIGKILL) at a time that the seed determines: a few milliseconds after one of its events.
 *
 * @param program A TypeScript or JavaScript module that calls `writeUntilKilled`. The esbuild of its package bundles it into one
 *   CommonJS script, so it must not use top-level `await`.
 * @param args Arguments of the program, from `process.argv[2]` on.
 */
export function killedWriter(program: URL, ...args: readonly string[]): Writer {
  return async (job, history) => {
    const random = randomOf(job.seed * 131 + job.writer)
    let left = Math.floor(random() * MOST_EVENTS)
    const child = spawn(process.execPath, ['-', ...args, JSON.stringify(job)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => {
      // The process may have been killed while it wrote its last line.
      if (line.endsWith('}')) history.record(JSON.parse(line))
      if (random() < 1 / 8) stopFor(child, random() * LONGEST_STOP)
      if (left-- === 0) setTimeout(() => child.kill('SIGKILL'), random() * MOST_DELAY)
    })
    child.stdin.on('error', () => {})
    child.stdin.end(await scriptOf(program))
    const [code] = await closed
    if (typeof code === 'number' && code !== 0) throw new Error(`${program} ended with ${code}: see stderr`)
  }
}

/** Does nothing on Windows, which does not have these signals. */
function stopFor(child: ChildProcess, ms: number): void {
  if (process.platform === 'win32') return
  child.kill('SIGSTOP')
  setTimeout(() => child.kill('SIGCONT'), ms)
}

/** Runs the job that `killedWriter` passes, and prints each event as one line, until the process is killed or the job is done. */
export async function writeUntilKilled(backend: Backend): Promise<void> {
  const job: Job = JSON.parse(process.argv.at(-1) ?? '')
  const history = new History()
  await runWorkload(backend, job, history, (event: Event) => {
    history.record(event)
    writeSync(1, `${JSON.stringify(event)}\n`)
  })
  process.exit(0)
}

const scripts = new Map<string, Promise<string>>()

function scriptOf(program: URL): Promise<string> {
  const known = scripts.get(program.href) ?? bundle(program)
  scripts.set(program.href, known)
  return known
}

/** The used part of esbuild, a dependency of the program's package. Packages without killed writers don't need it. */
interface Esbuild {
  build(o: object): Promise<{ readonly outputFiles: readonly { readonly text: string }[] }>
}

async function bundle(program: URL): Promise<string> {
  const esbuild: Esbuild = createRequire(program)('esbuild')
  const { outputFiles } = await esbuild.build({
    entryPoints: [fileURLToPath(program)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    conditions: ['source'],
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}
