import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

/** The comment at the head of a script: its usage. @param {string} url of the script */
function usage(url) {
  const lines = readFileSync(new URL(url), 'utf8').split('\n')
  const end = lines.findIndex((line) => !line.startsWith('//'))
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n')
}

/** Prints the usage of a script and ends the process, if the first argument asks for it. @param {string} url of the script */
export function helpFor(url) {
  if (process.argv[2] !== '--help' && process.argv[2] !== '-h') return
  console.log(usage(url))
  process.exit(0)
}

/**
 * The options of a script. A wrong one ends the process with what is wrong and the usage.
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
