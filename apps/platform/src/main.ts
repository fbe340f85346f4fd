/** The process behind `ivcap-platform`. */
import { isIvcapError } from '@ivcap/core/driver'
import { check } from './check.js'
import { greeting, HELP, parseCommand } from './cli.js'
import { startPlatform } from './platform.js'

/** A signal of the same kind counts as impatience only after this time: npm and shells pass on what the group got already. */
const IMPATIENT_MS = 1000

// Whoever reads the output may end first: `ivcap-platform | head`.
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
    if (first !== undefined && Date.now() - first >= IMPATIENT_MS) process.exit(1)
    if (first === undefined) received.set(kind, Date.now())
    if (received.size > 1 || first !== undefined) return
    log('stopping: finishing what is under way')
    platform.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // a program that started this process hears the address, and ends it by ending itself
  process.send?.({ url: platform.url })
  process.once('disconnect', () => stop('disconnect'))
}

function fail(error: unknown): never {
  const known = isIvcapError(error)
  console.error(`ivcap-platform: ${known ? error.message : textOf(error)}`)
  process.exit(known ? 2 : 1)
}

/** Of any value, even an error whose stack throws. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  } catch {
    return 'an error that cannot be printed'
  }
}

main().catch(fail)
