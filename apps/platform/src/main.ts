/** The process behind `ivcap-platform`. */
import { isIvcapError } from '@ivcap/core/driver'
import { check } from './check.js'
import { greeting, HELP, parseCommand } from './cli.js'
import { startPlatform } from './platform.js'

/** A second signal of one kind within this time is ignored: npm and shells repeat signals that the process group has received. */
const REPEATED_SIGNAL_MS = 1000

// The reader of the output may end first: `ivcap-platform | head`.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

async function main(): Promise<void> {
  const command = await parseCommand(process.argv.slice(2))
  if (command === 'help') return console.log(HELP)
  if (command.check) {
    process.exitCode = await check(command.options, (line) => console.log(line))
    return
  }
  const log = (line: string) => {
    if (!command.quiet) console.log(`${new Date().toISOString().slice(11, 23)} ${line}`)
  }
  process.on('unhandledRejection', (error) => log(`failed: ${textOf(error)}`))
  const platform = await startPlatform({ ...command.options, log })
  console.log(`${greeting(command, platform.url)}\n`)

  const received = new Map<string, number>()
  const stop = (kind: string) => {
    const first = received.get(kind)
    if (first !== undefined && Date.now() - first >= REPEATED_SIGNAL_MS) process.exit(1)
    if (first === undefined) received.set(kind, Date.now())
    if (received.size > 1 || first !== undefined) return
    log('stopping: finishing what is under way')
    platform.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // a parent process receives the URL; when it disconnects, the server stops
  process.send?.({ url: platform.url })
  process.once('disconnect', () => stop('disconnect'))
}

function fail(error: unknown): never {
  const isExpected = isIvcapError(error)
  console.error(`ivcap-platform: ${isExpected ? error.message : textOf(error)}`)
  process.exit(isExpected ? 2 : 1)
}

/** Works for any value, even an error whose stack throws. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  } catch {
    return 'an error that cannot be printed'
  }
}

main().catch(fail)
