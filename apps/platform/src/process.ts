import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface PlatformProcess {
  readonly url: string
  readonly child: ChildProcess
  /** Ends it without a word, as a crash does. */
  kill(): Promise<void>
  /** Asks it to end; it finishes what is under way. Resolves to its exit code. */
  stop(): Promise<number | null>
}

/**
 * The server as a process of its own, run from its sources, for tests of what its death leaves behind. It ends with the
 * process that started it.
 *
 * @param args As on the command line; `--port 0` unless there is another.
 */
export async function startPlatformProcess(args: readonly string[]): Promise<PlatformProcess> {
  const child = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), ['--port', '0', ...args], {
    execArgv: ['--import', new URL('../bin/from-sources.mjs', import.meta.url).href],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const exited = once(child, 'exit')
  const [said] = await Promise.race([once(child, 'message'), exited])
  if (typeof said !== 'object' || said === null || !('url' in said) || typeof said.url !== 'string') {
    throw new Error(`The server did not start: ${complaint}`)
  }
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    const [code] = await exited
    return typeof code === 'number' ? code : null
  }
  return {
    url: said.url,
    child,
    kill: async () => {
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
  }
}
