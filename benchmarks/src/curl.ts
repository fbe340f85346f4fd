import { execFileSync } from 'node:child_process'
import { TOKEN } from './deployment.js'

/** Runs curl with the token. Fails if the response is not 2xx. */
export function curl(...args: readonly string[]): string {
  return execFileSync('curl', ['-sS', '--fail', '-H', `Authorization: Bearer ${TOKEN}`, ...args], {
    encoding: 'utf8',
  })
}
