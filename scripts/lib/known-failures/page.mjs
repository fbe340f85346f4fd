/** @typedef {{ readonly group: string, readonly rows: Readonly<Record<string, string>> }} Group */
/** @typedef {import('./tests.mjs').TaggedTest} TaggedTest */

const HEAD = `# Known failures of such clients, and their tests

Made by \`npm run known-failures\` out of [known-failures.json](known-failures.json) and the comments
\`// known failure: …\` before tests; \`npm run check\` fails when a row has no test. What is tested in
\`packages/conformance/src\` is tested on every backend.
`

/** Returns the page, with a section for each group. @param {readonly Group[]} groups @param {readonly TaggedTest[]} tests */
export function pageOf(groups, tests) {
  return [HEAD, ...groups.map((group) => sectionOf(group, tests))].join('\n')
}

/** @param {Group} group @param {readonly TaggedTest[]} tests */
function sectionOf({ group, rows }, tests) {
  const entries = Object.entries(rows).flatMap(([id, sentence]) => {
    const own = tests.filter((test) => test.ids.includes(id))
    return [`**${sentence}** (\`${id}\`)`, '', ...own.map((test) => `- ${linkOf(test)}`), '']
  })
  return [`## ${group}`, '', ...entries].join('\n')
}

/** @param {TaggedTest} test */
function linkOf({ file, title }) {
  const path = file.replace(/^packages\//, '')
  return `[${path}](../${file}): ${title.replace(/[\\`*_<>[\]]/g, '\\$&').replace(/\s+/g, ' ')}`
}
