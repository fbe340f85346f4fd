import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Acknowledged } from './writer.js'

/** A writer, a file next to this one, as one file that plain node runs. */
export async function buildWriter(outfile: string, source = 'writer.ts'): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL(source, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    logLevel: 'error',
  })
}

export interface Writer {
  readonly acknowledged: Acknowledged[]
  /** Resolves at the first acknowledgement. */
  readonly started: Promise<void>
  kill(): void
  /** How it ended: `SIGKILL`, or its exit code and what it complained of. */
  readonly ended: Promise<string>
}

export function startWriter(file: string, ...args: string[]): Writer {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const acknowledged: Acknowledged[] = []
  let complaint = ''
  child.stderr.on('data', (text) => {
    complaint += String(text)
  })
  const lines = createInterface({ input: child.stdout })
  // a process that was killed may have died while it wrote its last line
  lines.on('line', (line) => {
    if (line.endsWith('}')) acknowledged.push(JSON.parse(line))
  })
  const closed = once(child, 'close')
  return {
    acknowledged,
    started: Promise.race([once(lines, 'line'), closed]).then(() => {}),
    kill: () => child.kill('SIGKILL'),
    ended: closed.then(([code, signal]) => signal ?? `${code}${complaint}`),
  }
}
