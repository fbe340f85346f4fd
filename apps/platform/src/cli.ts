import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { IvcapError } from '@ivcap/core/driver'
import { openPlace, type Place, placeOf } from './backends.js'
import type { Auth } from './http/auth.js'
import type { PlatformOptions } from './platform.js'
import { servicesIn } from './services/module.js'

export const HELP = `ivcap-platform: an IVCAP deployment for development and tests

  npx ivcap-platform --dir ./data --port 8088

  --dir <folder>       where artifacts, aspects and unfinished uploads are kept (default: ./ivcap-data)
  --backend <place>    folder, memory, s3://bucket/prefix or gs://bucket/prefix (default: folder). What is in memory ends
                       with the server; buckets are found as their vendors' tools find them: AWS_REGION,
                       AWS_ENDPOINT_URL_S3, profiles, GOOGLE_APPLICATION_CREDENTIALS…
  --port <number>      0 takes any that is free (default: 8088)
  --host <address>     (default: 127.0.0.1, which only this machine can reach)
  --services <module>  run the functions that this module exports (default, or "services") as services
  --token <text>       ask for this bearer token; better put into IVCAP_PLATFORM_TOKEN, where no other user sees it
  --jwt-key <file>     ask for a JWT signed with this key: a public key (PEM, JWK or JWK set) or a shared secret
  --origin <origin>    a web origin whose pages may call, or '*'; may be given again
                       (default: all with a token, without one those of this machine)
  --pending-ttl <time> forget an upload to which nobody has sent a byte for so long: 7d, 12h, 30m (default: 7d)
  --quiet              no access log
  --help

Without --token and --jwt-key it is open to all who can reach it.`

export interface Command {
  readonly options: PlatformOptions
  /** Where the data is kept, in words. */
  readonly data: string
  readonly quiet: boolean
}

/** What the command line asks for; 'help' if that is all. @throws IvcapError that names the option and the remedy */
export async function commandOf(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Command | 'help'> {
  const given = parse(args)
  if (given.help) return 'help'
  const place = checkPlace(given.backend)
  const dir = resolve(given.dir)
  const auth = await authOf(given.token ?? env['IVCAP_PLATFORM_TOKEN'], given['jwt-key'])
  const services = given.services === undefined ? undefined : await servicesIn(given.services)
  const { origin } = given
  return {
    data: { folder: dir, memory: 'in memory, until it stops', s3: given.backend, gs: given.backend }[
      place.kind
    ],
    quiet: given.quiet,
    options: {
      ...(place.kind !== 'memory' && { dir }),
      ...(place.kind !== 'folder' && { backend: await openPlace(place, dir) }),
      port: portOf(given.port),
      host: given.host,
      auth,
      services,
      pendingTtl: given['pending-ttl'] === undefined ? undefined : durationOf(given['pending-ttl']),
      origins: origin.includes('*') ? '*' : origin.length > 0 ? origin : undefined,
    },
  }
}

/** What somebody who has just started it wants to know. */
export function greeting({ data, options }: Command, url: string): string {
  const { auth, host, services } = options
  const open = auth === undefined
  const remote = host !== undefined && !['127.0.0.1', 'localhost', '::1'].includes(host)
  const env = open ? `IVCAP_BASE_URL=${url}` : `IVCAP_URL=${url} IVCAP_JWT=<the token>`
  return [
    `IVCAP for development listens at ${url}`,
    `  data:    ${data}`,
    `  access:  ${open ? 'open to all who can reach it' : 'with a token'}`,
    ...(services ? [`  services: ${services.map(({ name }) => name).join(', ')}`] : []),
    ...(open && remote ? [`  WARNING: others can reach ${host}, too. Give a --token or a --jwt-key.`] : []),
    '',
    'Connect to it, in both languages, with',
    `  export ${env}`,
    'and then',
    "  TypeScript:  import { connect } from '@ivcap/client'; const ivcap = await connect()",
    '  Python:      from ivcap_client import IVCAP; ivcap = IVCAP()',
    '',
    'Ctrl-C stops it.',
  ].join('\n')
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        dir: { type: 'string', default: './ivcap-data' },
        backend: { type: 'string', default: 'folder' },
        port: { type: 'string', default: '8088' },
        host: { type: 'string', default: '127.0.0.1' },
        services: { type: 'string' },
        token: { type: 'string' },
        'jwt-key': { type: 'string' },
        origin: { type: 'string', multiple: true, default: [] },
        'pending-ttl': { type: 'string' },
        quiet: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    return values
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new IvcapError('invalid-argument', `${message.split('. ')[0]}; see --help`, { cause })
  }
}

function checkPlace(text: string): Place {
  const place = placeOf(text)
  if (place !== undefined) return place
  throw wrong('backend', `is one of folder, memory, s3://bucket/prefix, gs://bucket/prefix, not ${text}`)
}

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw wrong('port', `is a number from 0 to 65535, not ${text}`)
}

const UNIT_MS = { d: 24 * 60 * 60_000, h: 60 * 60_000, m: 60_000 } as const

/** In ms. */
function durationOf(text: string): number {
  const [, count, unit] = /^(\d+)([dhm])$/.exec(text) ?? []
  if (Number(count) > 0 && (unit === 'd' || unit === 'h' || unit === 'm'))
    return Number(count) * UNIT_MS[unit]
  throw wrong('pending-ttl', `is a time such as 7d, 12h or 30m, not ${text}`)
}

async function authOf(token: string | undefined, keyFile: string | undefined): Promise<Auth | undefined> {
  if (token !== undefined && keyFile !== undefined)
    throw wrong('token', 'excludes --jwt-key: give one of them')
  if (token !== undefined) return { token }
  if (keyFile === undefined) return undefined
  try {
    return { jwtKey: await readFile(keyFile, 'utf8') }
  } catch (cause) {
    throw wrong('jwt-key', `can't be read: ${cause instanceof Error ? cause.message : keyFile}`, cause)
  }
}

function wrong(option: string, what: string, cause?: unknown): IvcapError {
  return new IvcapError('invalid-argument', `--${option} ${what}`, { argument: option, cause })
}
