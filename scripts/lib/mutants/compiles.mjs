import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

/** Diagnostics that only report unused code. They are ignored. */
const UNUSED = new Set([6133, 6138, 6192, 6196, 6198, 6199, 6205])

/**
 * Returns a function that tells whether a file of `root` still compiles with another text. Mutants that do not compile are not
 * tested.
 *
 * @param {string} root
 * @returns {(file: string, text: string) => boolean}
 */
export function compilerOf(root) {
  /** @type {Map<string, ReturnType<typeof packageCompiler>>} */
  const compilers = new Map()
  return (file, text) => {
    const [, folder = '.'] = /^((?:packages|apps)\/[^/]+)\//.exec(file) ?? []
    const compiler = compilers.get(folder) ?? packageCompiler(join(root, folder))
    compilers.set(folder, compiler)
    return compiler(join(root, file), text)
  }
}

/** @param {string} dir */
function packageCompiler(dir) {
  const path = join(dir, 'tsconfig.json')
  const { config } = ts.readConfigFile(path, ts.sys.readFile)
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(path))
  /** @type {{ file: string, text: string } | undefined} */
  let changed
  let version = 0
  const service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getCurrentDirectory: () => dir,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    getScriptFileNames: () => fileNames,
    getScriptVersion: (file) => (file === changed?.file ? `changed ${version}` : 'as it is'),
    getScriptSnapshot(file) {
      if (file === changed?.file) return ts.ScriptSnapshot.fromString(changed.text)
      return ts.sys.fileExists(file) ? ts.ScriptSnapshot.fromString(readFileSync(file, 'utf8')) : undefined
    },
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    ...(ts.sys.realpath && { realpath: ts.sys.realpath }),
  })
  /** @param {string} file @param {string} text */
  return (file, text) => {
    changed = { file, text }
    version++
    const found = [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)]
    return !found.some(({ category, code }) => category === ts.DiagnosticCategory.Error && !UNUSED.has(code))
  }
}
