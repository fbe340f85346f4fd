import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** Returns the comment at the head of a script, which is its usage. @param {string} url of the script */
function usage(url) {
  const lines = readFileSync(new URL(url), 'utf8').split('\n')
  const end = lines.findIndex((line) => !line.startsWith('//'))
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n')
}

/** If the first argument is `--help` or `-h`, prints the usage and ends the process. @param {string} url of the script */
export function helpFor(url) {
  if (process.argv[2] !== '--help' && process.argv[2] !== '-h') return
  console.log(usage(url))
  process.exit(0)
}

/**
 * Parses the options of a script. If one is invalid, prints the error and the usage and ends the process.
 *
 * @template {import('node:util').ParseArgsConfig} T
 * @param {string} url of the script
 * @param {T} config
 */
export function optionsOf(url, config) {
  helpFor(url)
  try {
    return parseArgs(config)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage(url)}`)
    process.exit(2)
  }
}
