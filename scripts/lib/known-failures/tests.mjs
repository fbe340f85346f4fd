import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'

/** @typedef {{ readonly file: string, readonly title: string, readonly ids: readonly string[] }} TaggedTest */

const TAG = /^\/\/ known failure: (.+)$/
const ANY_TAG = /^\s*\/\/ known failure: /gm

/** Returns all tests with a tag, in the order of their files and lines, and reports tags without a test. @param {URL} root */
export function taggedTests(root) {
  /** @type {TaggedTest[]} */
  const tests = []
  /** @type {string[]} */
  const problems = []
  for (const file of sourceFiles(root)) {
    const text = readFileSync(new URL(file, root), 'utf8')
    const tags = text.match(ANY_TAG)?.length ?? 0
    if (tags === 0) continue
    const found = testsOf(file, text)
    tests.push(...found)
    if (found.length !== tags) problems.push(`${file}: ${tags} tags, but ${found.length} tests that bear one`)
  }
  return { tests, problems }
}

/** @param {URL} root */
function sourceFiles(root) {
  return ['packages', 'apps']
    .flatMap((folder) =>
      readdirSync(new URL(folder, root)).flatMap((name) => [
        `${folder}/${name}/test`,
        `${folder}/${name}/src`,
      ]),
    )
    .flatMap((folder) => filesBelow(root, folder))
    .sort()
}

/** @param {URL} root @param {string} folder @returns {string[]} */
function filesBelow(root, folder) {
  /** @type {import('node:fs').Dirent[]} */
  let entries
  try {
    entries = readdirSync(new URL(folder, root), { withFileTypes: true })
  } catch {
    return []
  }
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return filesBelow(root, path)
    return entry.name.endsWith('.ts') ? [path] : []
  })
}

/** @param {string} file @param {string} text */
function testsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  /** @type {TaggedTest[]} */
  const tests = []
  /** @param {ts.Node} node @param {readonly string[]} above */
  const visit = (node, above) => {
    const call =
      ts.isExpressionStatement(node) && ts.isCallExpression(node.expression) ? node.expression : undefined
    const kind = call && kindOf(call)
    const title = call && titleOf(call)
    const ids = kind === 'test' ? tagsBefore(node, text) : []
    if (ids.length > 0 && title !== undefined) tests.push({ file, title: [...above, title].join(': '), ids })
    const inside = kind === 'describe' && title !== undefined ? [...above, title] : above
    ts.forEachChild(node, (child) => visit(child, inside))
  }
  visit(source, [])
  return tests
}

/** Returns what a call declares, also for `it.each(…)(…)`; undefined if it is skipped. @param {ts.CallExpression} call */
function kindOf(call) {
  /** @type {ts.Expression} */
  let callee = call.expression
  while (!ts.isIdentifier(callee)) {
    if (ts.isPropertyAccessExpression(callee) && ['skip', 'todo', 'fails'].includes(callee.name.text))
      return undefined
    if (!ts.isPropertyAccessExpression(callee) && !ts.isCallExpression(callee)) return undefined
    callee = callee.expression
  }
  if (callee.text === 'it' || callee.text === 'test') return 'test'
  return callee.text === 'describe' ? 'describe' : undefined
}

/** @param {ts.CallExpression} call */
function titleOf(call) {
  const [title] = call.arguments
  if (title === undefined) return undefined
  if (ts.isStringLiteralLike(title)) return title.text
  return ts.isTemplateExpression(title) ? title.getText().slice(1, -1) : undefined
}

/** @param {ts.Node} node @param {string} text */
function tagsBefore(node, text) {
  const comments = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []
  return comments.flatMap(({ pos, end }) => TAG.exec(text.slice(pos, end))?.[1]?.split(/,\s*/) ?? [])
}
