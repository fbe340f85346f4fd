/** The process behind `ivcap-platform`. */
import { isIvcapError } from '@ivcap/core/driver'
import { commandOf, greeting, HELP } from './cli.js'
import { startPlatform } from './platform.js'

async function main(): Promise<void> {
  const command = await commandOf(process.argv.slice(2))
  if (command === 'help') return console.log(HELP)
  const log = (line: string) => {
    if (!command.quiet) console.log(`${new Date().toISOString().slice(11, 23)} ${line}`)
  }
  const platform = await startPlatform({ ...command.options, log })
  console.log(`${greeting(command, platform.url)}\n`)

  let stopping = false
  const stop = () => {
    // asked twice: whoever asks has no time
    if (stopping) process.exit(1)
    stopping = true
    log('stopping: finishing what is under way')
    platform.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // started by a program: it hears where, and takes this process along when it ends
  process.send?.({ url: platform.url })
  process.once('disconnect', stop)
}

function fail(error: unknown): never {
  const known = isIvcapError(error)
  console.error(`ivcap-platform: ${known ? error.message : error instanceof Error ? error.stack : error}`)
  process.exit(known ? 2 : 1)
}

main().catch(fail)
