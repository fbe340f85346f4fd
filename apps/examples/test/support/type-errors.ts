import { dirname, join } from 'node:path'
import ts from 'typescript'
import { examples } from './run-script.js'
import type { Snippet } from './snippets.js'

/** What the compiler has to say about snippets, as strictly as about our own code, and with a browser's types too. */
export function typeErrors(snippets: readonly Snippet[]): string[] {
  const files = new Map(snippets.map(({ code }, i) => [join(examples, 'test', `snippet-${i}.ts`), code]))
  const host = hostWith(files)
  const program = ts.createProgram({ rootNames: [...files.keys()], options: options(), host })
  return snippets.flatMap(({ name }, i) => {
    const file = program.getSourceFile([...files.keys()][i] ?? '')
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return found.map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
  })
}

function options(): ts.CompilerOptions {
  const config = join(examples, 'tsconfig.json')
  const { config: json } = ts.readConfigFile(config, ts.sys.readFile)
  const parsed = ts.parseJsonConfigFileContent(json, ts.sys, dirname(config))
  return { ...parsed.options, lib: [...(parsed.options.lib ?? []), 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'] }
}

/** The file system, and on top of it files that exist for the compiler only. */
function hostWith(files: ReadonlyMap<string, string>): ts.CompilerHost {
  const host = ts.createCompilerHost(options())
  const onDisk = { read: host.readFile, exists: host.fileExists, source: host.getSourceFile }
  host.readFile = (name) => files.get(name) ?? onDisk.read(name)
  host.fileExists = (name) => files.has(name) || onDisk.exists(name)
  host.getSourceFile = (name, version, ...rest) => {
    const code = files.get(name)
    return code === undefined
      ? onDisk.source(name, version, ...rest)
      : ts.createSourceFile(name, code, version)
  }
  return host
}
