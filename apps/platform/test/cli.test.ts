import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { memoryBackend } from '@ivcap/backend-memory'
import type { Problem } from '@ivcap/core/driver'
import { expect, it, vi } from 'vitest'
import { check } from '../src/check.js'
import { type Command, greeting, parseCommand } from '../src/cli.js'
import { folder } from './support/server.js'

async function command(args: readonly string[], env = {}): Promise<Command> {
  const said = await parseCommand(args, env)
  if (said === 'help') throw new Error('that is help')
  return said
}

it('without options it is a folder, on this machine, open', async () => {
  expect(await command([])).toEqual({
    data: join(process.cwd(), 'ivcap-data'),
    quiet: false,
    check: false,
    options: { dir: join(process.cwd(), 'ivcap-data'), port: 8088, host: '127.0.0.1', hosts: [] },
  })
})

it('takes a token from the environment, a key from a file, origins as often as given', async () => {
  const env = { IVCAP_PLATFORM_TOKEN: 'secret' }
  expect((await command([], env)).options.auth).toEqual({ token: 'secret' })
  const key = join(await folder(), 'key.pem')
  await writeFile(key, 'the key')
  expect((await command(['--jwt-key', key])).options.auth).toEqual({ jwtKey: 'the key' })
  const origins = ['--origin', 'https://a.example', '--origin', 'https://b.example']
  expect((await command(origins)).options.origins).toEqual(['https://a.example', 'https://b.example'])
  expect((await command(['--origin', '*'])).options.origins).toBe('*')
})

it('takes names of hosts and limits', async () => {
  const { options } = await command([
    '--allow-host',
    'ivcap.local',
    '--max-pending',
    '5',
    '--max-connections',
    '7',
  ])
  expect(options).toMatchObject({ hosts: ['ivcap.local'], maxPending: 5, maxConnections: 7 })
})

it('takes a shared secret only as such, with what the token must say', async () => {
  const file = join(await folder(), 'secret')
  await writeFile(file, 'x'.repeat(32))
  const args = [
    '--jwt-secret',
    file,
    '--jwt-issuer',
    'urn:me',
    '--jwt-audience',
    'urn:you',
    '--jwt-allow-no-expiry',
  ]
  expect((await command(args)).options.auth).toEqual({
    jwtSecret: 'x'.repeat(32),
    issuer: 'urn:me',
    audience: 'urn:you',
    allowNoExpiry: true,
  })
})

it('takes the time after which an upload is forgotten', async () => {
  expect((await command(['--pending-ttl', '90m'])).options.pendingTtl).toBe(5_400_000)
  expect((await command(['--pending-ttl', '2d'])).options.pendingTtl).toBe(48 * 3_600_000)
})

it('asks for help', async () => {
  expect(await parseCommand(['--port', 'x', '--help'])).toBe('help')
})

it.each<[string, string[], RegExp]>([
  ['an unknown option', ['--prot', '1'], /--prot.*--help/],
  ['an argument', ['data'], /data/],
  ['a port that is none', ['--port', '70000'], /--port is a number from 0 to 65535, not 70000/],
  ['a time that is none', ['--pending-ttl', '7'], /--pending-ttl is a time such as 7d.*, not 7/],
  ['an unknown backend', ['--backend', 'tape'], /folder, memory, s3:.*, not tape/],
  ['a bucket without a name', ['--backend', 's3:///prefix'], /s3:\/\/bucket\/prefix/],
  ['a host with a scheme', ['--allow-host', 'http://x'], /--allow-host is a host name/],
  ['a limit of none', ['--max-pending', '0'], /--max-pending is a number from 1/],
  ['an issuer without a key', ['--jwt-issuer', 'x'], /--jwt-key is missing/],
  ['a key and a secret', ['--jwt-key', 'x', '--jwt-secret', 'y'], /excludes --jwt-secret/],
  ['a token and a key', ['--token', 'x', '--jwt-key', 'y'], /excludes/],
  ['a key that is not there', ['--jwt-key', '/no/such/key'], /--jwt-key can't be read.*\/no\/such\/key/],
])('%s is refused', async (_, args, message) => {
  await expect(parseCommand(args, {})).rejects.toThrow(message)
})

it('says how to connect, warns where others can reach it, and never shows the token', async () => {
  const open = greeting(await command(['--host', '0.0.0.0']), 'http://0.0.0.0:8088')
  expect(open).toContain('IVCAP_BASE_URL=http://0.0.0.0:8088')
  expect(open).toContain('WARNING')
  const guarded = greeting(await command(['--token', 'secret', '--backend', 'memory']), 'http://127.0.0.1:1')
  expect(guarded).toContain('IVCAP_URL=http://127.0.0.1:1')
  expect(guarded).toContain('in memory')
  expect(guarded).not.toMatch(/secret|WARNING/)
})

it('a check prints what is wrong, a line each, and tells by its exit code', async () => {
  const backend = (problems: readonly Problem[]) => ({ ...memoryBackend(), verify: async () => problems })
  const print = vi.fn()
  expect(await check({ backend: backend([]) }, print)).toBe(0)
  const problem = {
    kind: 'orphan',
    resource: 'key',
    message: 'bytes without a record',
    repairable: false,
  } as const
  expect(await check({ backend: backend([problem]) }, print)).toBe(1)
  expect(print.mock.calls.flat()).toEqual([
    'Everything is in order.',
    'orphan  key: bytes without a record',
    '1 found, nothing was changed.',
  ])
  await expect(check({ dir: join(await folder(), 'absent') }, print)).rejects.toMatchObject({
    code: 'not-found',
  })
})
