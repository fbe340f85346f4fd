import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface PlatformProcess {
  readonly url: string
  readonly child: ChildProcess
  /** Kills the process (SIGKILL), as a crash does. */
  kill(): Promise<void>
  /** Stops the server (SIGTERM), which finishes its requests first. Resolves to its exit code. */
  stop(): Promise<number | null>
}

/**
 * Starts the server as a separate process, from its sources, for tests of crashes and restarts. It ends with the process
 * that started it.
 *
 * @param args As on the command line. `--port` defaults to 0.
 */
export async function startPlatformProcess(args: readonly string[]): Promise<PlatformProcess> {
  const child = fork(fileURLToPath(new URL('./main.ts', import.meta.url)), ['--port', '0', ...args], {
    execArgv: ['--import', new URL('../bin/from-sources.mjs', import.meta.url).href],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let errorOutput = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorOutput += text
  })
  const exited = once(child, 'exit')
  const [message] = await Promise.race([once(child, 'message'), exited])
  if (
    typeof message !== 'object' ||
    message === null ||
    !('url' in message) ||
    typeof message.url !== 'string'
  ) {
    throw new Error(`The server did not start: ${errorOutput}`)
  }
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    const [code] = await exited
    return typeof code === 'number' ? code : null
  }
  return {
    url: message.url,
    child,
    kill: async () => {
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
  }
}
