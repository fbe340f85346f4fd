import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Place } from './benchmark.js'

export const TOKEN = 'benchmark'

export interface Deployment {
  readonly url: string
  stop(): Promise<void>
}

/** Starts the development server in its own process, with its data in `dir`. All contenders use this server. */
export async function startDeployment(dir: string): Promise<Deployment> {
  const require = createRequire(import.meta.url)
  const server = dirname(require.resolve('@ivcap/platform-server/package.json'))
  const tsx = pathToFileURL(createRequire(join(server, 'package.json')).resolve('tsx')).href
  await mkdir(dir, { recursive: true })
  const child = fork(
    join(server, 'src/main.ts'),
    ['--dir', dir, '--token', TOKEN, '--port', '0', '--quiet'],
    {
      execArgv: ['--conditions=source', '--import', tsx],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  )
  const ended = once(child, 'exit')
  const [said] = await Promise.race([once(child, 'message'), ended])
  if (typeof said !== 'object' || said === null || !('url' in said) || typeof said.url !== 'string')
    throw new Error('the deployment did not start')
  return {
    url: said.url,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Returns the folder in which a benchmark's deployment stores its data. */
export const dataOf = ({ dir }: Pick<Place, 'dir'>): string => join(dir, 'deployment')

/** Deletes all artifacts, so that the disk never holds more than those of one run. No request may be in progress. */
export async function clearDeployment(place: Place): Promise<void> {
  await rm(join(dataOf(place), 'blobs'), { recursive: true, force: true })
}

export function urlOf({ url }: Place): string {
  if (url === undefined) throw new Error('this benchmark needs a deployment')
  return url
}
