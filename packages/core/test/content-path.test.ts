import { compileContentPath, IvcapError, type JsonValue } from '@ivcap/core/internal'
import { SqlJsonPathError } from '@ivcap/sql-json-path'
import { expect, it } from 'vitest'

it.each([
  ['$.a ? (@', 'invalid-argument', "the path can't be read at character 9: found the end where"],
  ['$.a ? (@ > $limit)', 'unsupported', 'the path has the variable $limit, which is not supported here'],
  [`$${'.a'.repeat(5000)}`, 'invalid-argument', 'at most 10000 are allowed'],
])('an error in the path %s names the argument', (path, code, message) => {
  const compile = () => compileContentPath(path)
  expect(compile).toThrow(IvcapError)
  expect(compile).toThrow(
    expect.objectContaining({
      code,
      argument: 'contentPath',
      message: expect.stringMatching(/^contentPath: /),
      cause: expect.any(SqlJsonPathError),
    }),
  )
  expect(compile).toThrow(message)
})

it('so does one that a content causes', async () => {
  let content: JsonValue = {}
  for (let i = 0; i < 1000; i++) content = { a: content }
  const test = compileContentPath('$.** ? (@ == 0)')
  // it fails at once, or after a pause where the machine is busy
  const found = (async () => await test(content))()
  await expect(found).rejects.toMatchObject({ code: 'invalid-argument', argument: 'contentPath' })
})
