import { describe, expect, it } from 'vitest'
import { choose, type Environment, type Place } from '../src/choose.js'

const outside = 'https://api.example.com'
const inside = 'http://ivcap.internal'

describe('choose', () => {
  const chosen: [string, Place, Environment, object][] = [
    ['nothing: the folder of the Python client', {}, {}, { kind: 'local', baseDir: 'ivcap-artifacts' }],
    ['IVCAP_LOCAL_DIR', {}, { IVCAP_LOCAL_DIR: '/data' }, { kind: 'local', baseDir: '/data' }],
    [
      'an empty variable is none',
      {},
      { IVCAP_URL: '', IVCAP_LOCAL_DIR: '' },
      { kind: 'local', baseDir: 'ivcap-artifacts' },
    ],
    [
      'a token alone in the environment',
      {},
      { IVCAP_JWT: 't' },
      { kind: 'local', baseDir: 'ivcap-artifacts' },
    ],
    [
      'IVCAP_URL with IVCAP_JWT',
      {},
      { IVCAP_URL: outside, IVCAP_JWT: 't' },
      { kind: 'platform', url: outside, token: 't' },
    ],
    [
      'IVCAP_URL with token',
      { token: 'u' },
      { IVCAP_URL: outside, IVCAP_JWT: 't' },
      { kind: 'platform', token: 'u' },
    ],
    [
      'in the cluster, no token',
      {},
      { IVCAP_BASE_URL: inside, IVCAP_URL: outside, IVCAP_JWT: 't' },
      { kind: 'platform', url: inside },
    ],
    [
      'in the cluster, a token that was asked for',
      { token: 'u' },
      { IVCAP_BASE_URL: inside },
      { kind: 'platform', token: 'u' },
    ],
    [
      'an explicit url first',
      { url: outside, token: 'u' },
      { IVCAP_BASE_URL: inside },
      { kind: 'platform', url: outside, token: 'u' },
    ],
    [
      'the url of the cluster needs no token',
      { url: `${inside}/` },
      { IVCAP_BASE_URL: inside },
      { kind: 'platform', url: `${inside}/` },
    ],
    [
      'the account',
      {},
      { IVCAP_BASE_URL: inside, IVCAP_ACCOUNT_ID: 'a' },
      { kind: 'platform', account: 'a' },
    ],
    ['memory', { url: 'memory:' }, { IVCAP_URL: outside, IVCAP_JWT: 't' }, { kind: 'memory' }],
    ['a relative folder', { url: 'file:./my dir' }, {}, { kind: 'local', baseDir: './my dir' }],
    [
      'an absolute folder, percent-encoded',
      { url: 'file:///my%20dir' },
      {},
      { kind: 'local', baseDir: '/my dir' },
    ],
    ['a bucket', { url: 's3://bucket' }, {}, { kind: 's3', bucket: 'bucket' }],
    [
      'a bucket and a prefix',
      { url: 'gs://bucket/a/b/' },
      {},
      { kind: 'gcs', bucket: 'bucket', prefix: 'a/b' },
    ],
  ]
  it.each(chosen)('%s', (_, place, env, expected) => {
    expect(choose(place, env)).toMatchObject(expected)
  })

  it('sends no token where none is needed', () => {
    expect(choose({}, { IVCAP_BASE_URL: inside, IVCAP_JWT: 't' })).not.toHaveProperty('token')
  })

  const refused: [string, Place, Environment, string, RegExp][] = [
    ['a token without a url', { token: 'secret' }, {}, 'token', /IVCAP_URL/],
    ['a deployment outside without a token', { url: outside }, {}, 'token', /IVCAP_JWT/],
    ['IVCAP_URL without a token', {}, { IVCAP_URL: outside }, 'token', /IVCAP_JWT/],
    ['a token for a folder', { url: 'file:./x', token: 'secret' }, {}, 'token', /takes none/],
    ['an unknown scheme', { url: 'ftp://x' }, {}, 'url', /s3:\/\/bucket/],
    ['no scheme', { url: 'api.example.com' }, {}, 'url', /https:/],
    ['a bucket without a name', { url: 's3:///x' }, {}, 'url', /bucket/],
    ['a folder without a name', { url: 'file:' }, {}, 'url', /folder/],
    ['a folder of another machine', { url: 'file://host/x' }, {}, 'url', /file:\/\/\/abs/],
    ['IVCAP_URL that is none', {}, { IVCAP_URL: 'nonsense', IVCAP_JWT: 't' }, 'IVCAP_URL', /nonsense/],
    [
      'a password in the url',
      { url: 'https://me:secret@example.com', token: 'u' },
      {},
      'url',
      /example\.com/,
    ],
  ]
  it.each(refused)('refuses %s', (_, place, env, argument, message) => {
    const attempt = () => choose(place, env)
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        argument,
        message: expect.stringMatching(message),
      }),
    )
    expect(attempt).not.toThrow(/secret/)
  })
})
