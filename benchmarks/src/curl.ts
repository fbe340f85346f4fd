import { execFileSync } from 'node:child_process'
import { TOKEN } from './deployment.js'

/** curl, with the token; fails where the answer is not 2xx. */
export function curl(...args: readonly string[]): string {
  return execFileSync('curl', ['-sS', '--fail', '-H', `Authorization: Bearer ${TOKEN}`, ...args], {
    encoding: 'utf8',
  })
}
