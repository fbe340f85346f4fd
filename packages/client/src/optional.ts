import { type Backend, IvcapError } from '@ivcap/core'

/**
 * Opens a backend whose package may not be installed. The name is passed to `import()` as a value: if it were a literal, bundlers
 * would refuse to build without the package.
 *
 * @throws IvcapError `unsupported` if the package is missing; the message names it and tells how to install it
 */
export async function openOptional(
  packageName: string,
  factory: string,
  need: string,
  options: object,
): Promise<Backend> {
  const module = await load(packageName, need)
  const open = module[factory]
  if (typeof open !== 'function') {
    throw unsupported(
      packageName,
      `the installed ${packageName} has no ${factory}: install the version of @ivcap/client`,
    )
  }
  const backend: Backend = await open(options)
  return backend
}

async function load(packageName: string, need: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const module: Readonly<Record<string, unknown>> = await import(
      /* @vite-ignore */ /* webpackIgnore: true */ packageName
    )
    return module
  } catch (cause) {
    if (!isMissing(cause, packageName)) throw cause
    const message = `${need} needs the package ${packageName}, which is not installed here: npm install ${packageName}`
    throw unsupported(packageName, message, cause)
  }
}

/** True only if the package itself is missing. A missing dependency of the package is another error. */
function isMissing(error: unknown, packageName: string): boolean {
  return (
    error instanceof Error &&
    /cannot find|failed to|could not/i.test(error.message) &&
    error.message.includes(packageName)
  )
}

function unsupported(resource: string, message: string, cause?: unknown): IvcapError {
  return new IvcapError('unsupported', `connect: ${message}`, { operation: 'connect', resource, cause })
}
