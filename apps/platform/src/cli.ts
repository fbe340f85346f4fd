import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { IvcapError } from '@ivcap/core/driver'
import { type BackendLocation, openBackend, parseBackendLocation } from './backends.js'
import type { Auth } from './http/auth.js'
import type { PlatformOptions } from './platform.js'
import { JobWorkers } from './services/job-workers.js'

export const HELP = `ivcap-platform: an IVCAP deployment for development and tests

  npx ivcap-platform --dir ./data --port 8088

  --dir <folder>       folder of artifacts, aspects and unfinished uploads (default: ./ivcap-data)
  --backend <place>    folder, memory, s3://bucket/prefix or gs://bucket/prefix (default: folder). Data in
                       memory is lost when the server stops. Buckets use the settings of their vendors' tools:
                       AWS_REGION, AWS_ENDPOINT_URL_S3, profiles, GOOGLE_APPLICATION_CREDENTIALS…
  --port <number>      0 selects a free port (default: 8088)
  --host <address>     (default: 127.0.0.1, which only this machine can reach)
  --services <module>  run the functions that this module exports (default, or "services") as services, each job in a
                       thread of its own
  --job-memory <MiB>   heap of one job (default: 1024)
  --token <text>       require this bearer token; prefer IVCAP_PLATFORM_TOKEN, which other users cannot see
  --jwt-key <file>     require a JWT signed with the private key of this public key (PEM, JWK or JWK set)
  --jwt-secret <file>  require a JWT signed with the shared secret in this file, at least 32 bytes
  --jwt-issuer <text>, --jwt-audience <text>
                       require these in the JWT
  --jwt-allow-no-expiry
                       accept a JWT that never expires
  --allow-host <name>  a name under which clients reach a server without a token, besides those of this machine; may be
                       given again
  --allow-origin <origin>
                       a web origin whose pages may call, or '*'; may be given again (default: all with a token, without
                       one those of this machine). --origin is the same
  --pending-ttl <time> remove an upload that has received no byte for this time: 7d, 12h, 30m (default: 7d)
  --max-pending <n>    unfinished uploads at once; more are answered with 429 (default: 10000)
  --max-connections <n>
                       connections at once (default: 1000)
  --check              print damaged and orphaned records, and exit: exit code 0 if there are none, else 1
  --quiet              no access log
  --help

Without --token, --jwt-key and --jwt-secret every program that can reach the server may use it.`

export interface Command {
  readonly options: PlatformOptions
  /** Where the data is stored, as text for the user. */
  readonly data: string
  readonly quiet: boolean
  /** Whether to verify the data only, without starting the server. */
  readonly check: boolean
}

/** Parses the command line. @throws IvcapError `invalid-argument` that names the option and the remedy */
export async function parseCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Command | 'help'> {
  const values = parse(args)
  if (values.help) return 'help'
  const location = parseBackend(values.backend)
  const dir = resolve(values.dir)
  const auth = await authOf(values, env)
  const { origin, services } = values
  const origins = [...values['allow-origin'], ...origin]
  const optional = {
    jobMemory: values['job-memory'] === undefined ? undefined : countOf(values, 'job-memory'),
    maxPending: values['max-pending'] === undefined ? undefined : countOf(values, 'max-pending'),
    maxConnections: values['max-connections'] === undefined ? undefined : countOf(values, 'max-connections'),
  }
  return {
    data: { folder: dir, memory: 'in memory, until it stops', s3: values.backend, gs: values.backend }[
      location.kind
    ],
    quiet: values.quiet,
    check: values.check,
    options: {
      ...(location.kind !== 'memory' && { dir }),
      port: portOf(values.port),
      host: values.host,
      auth,
      hosts: values['allow-host'].map(hostNameOf),
      pendingTtl: values['pending-ttl'] === undefined ? undefined : durationOf(values['pending-ttl']),
      origins: origins.includes('*') ? '*' : origins.length > 0 ? origins : undefined,
      maxPending: optional.maxPending,
      maxConnections: optional.maxConnections,
      ...(services !== undefined &&
        !values.check && { services: await loadServices(services, optional.jobMemory) }),
      ...(location.kind !== 'folder' && { backend: await openBackend(location, dir) }),
    },
  }
}

function loadServices(module: string, memoryMb: number | undefined): Promise<JobWorkers> {
  return JobWorkers.load({ module: resolve(module), memoryMb })
}

/** The text that is printed after the start: URL, data, access, and how to connect. */
export function greeting({ data, options }: Command, url: string): string {
  const { auth, host, services } = options
  const open = auth === undefined
  const remote = host !== undefined && !['127.0.0.1', 'localhost', '::1'].includes(host)
  const env = open ? `IVCAP_BASE_URL=${url}` : `IVCAP_URL=${url} IVCAP_JWT=<the token>`
  return [
    `IVCAP for development listens at ${url}`,
    `  data:    ${data}`,
    `  access:  ${open ? 'open to all who can reach it' : 'with a token'}`,
    ...(services instanceof JobWorkers
      ? [`  services: ${services.services.map(({ name }) => name).join(', ')}`]
      : []),
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
        'jwt-secret': { type: 'string' },
        'jwt-issuer': { type: 'string' },
        'jwt-audience': { type: 'string' },
        'jwt-allow-no-expiry': { type: 'boolean', default: false },
        'allow-host': { type: 'string', multiple: true, default: [] },
        'allow-origin': { type: 'string', multiple: true, default: [] },
        'job-memory': { type: 'string' },
        'max-pending': { type: 'string' },
        'max-connections': { type: 'string' },
        check: { type: 'boolean', default: false },
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

function parseBackend(text: string): BackendLocation {
  const location = parseBackendLocation(text)
  if (location !== undefined) return location
  throw invalidOption(
    'backend',
    `is one of folder, memory, s3://bucket/prefix, gs://bucket/prefix, not ${text}`,
  )
}

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw invalidOption('port', `is a number from 0 to 65535, not ${text}`)
}

const UNIT_MS = { d: 24 * 60 * 60_000, h: 60 * 60_000, m: 60_000 } as const

/** In ms. */
function durationOf(text: string): number {
  const [, count, unit] = /^(\d+)([dhm])$/.exec(text) ?? []
  if (Number(count) > 0 && (unit === 'd' || unit === 'h' || unit === 'm'))
    return Number(count) * UNIT_MS[unit]
  throw invalidOption('pending-ttl', `is a time such as 7d, 12h or 30m, not ${text}`)
}

type ParsedArgs = ReturnType<typeof parse>

async function authOf(values: ParsedArgs, env: NodeJS.ProcessEnv): Promise<Auth | undefined> {
  const token = values.token ?? env['IVCAP_PLATFORM_TOKEN']
  const { 'jwt-key': key, 'jwt-secret': secret } = values
  if (token !== undefined && (key ?? secret) !== undefined)
    throw invalidOption('token', 'excludes --jwt-key and --jwt-secret: give one of them')
  if (key !== undefined && secret !== undefined)
    throw invalidOption('jwt-key', 'excludes --jwt-secret: give one of them')
  const claims = {
    issuer: values['jwt-issuer'],
    audience: values['jwt-audience'],
    allowNoExpiry: values['jwt-allow-no-expiry'] || undefined,
  }
  if (key !== undefined) return { jwtKey: await textIn('jwt-key', key), ...claims }
  if (secret !== undefined) return { jwtSecret: await textIn('jwt-secret', secret), ...claims }
  if (claims.issuer !== undefined || claims.audience !== undefined || claims.allowNoExpiry === true)
    throw invalidOption(
      'jwt-key',
      'is missing: --jwt-issuer, --jwt-audience and --jwt-allow-no-expiry need it',
    )
  return token === undefined ? undefined : { token }
}

async function textIn(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw invalidOption(option, `can't be read: ${cause instanceof Error ? cause.message : file}`, cause)
  }
}

function countOf(values: ParsedArgs, option: 'job-memory' | 'max-pending' | 'max-connections'): number {
  const text = values[option] ?? ''
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= 1_000_000) return count
  throw invalidOption(option, `is a number from 1 to 1000000, not ${text}`)
}

function hostNameOf(name: string): string {
  if (/^([\w.-]+|\[[0-9a-f:.]+\])$/i.test(name)) return name
  throw invalidOption(
    'allow-host',
    `is a host name without scheme and port, such as ivcap.local, not ${name}`,
  )
}

function invalidOption(option: string, what: string, cause?: unknown): IvcapError {
  return new IvcapError('invalid-argument', `--${option} ${what}`, { argument: option, cause })
}
