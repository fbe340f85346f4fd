/** @type {import('node:module').ResolveHook} */
export function resolve(specifier, context, next) {
  const isOwn = specifier.startsWith('@ivcap/') || specifier.startsWith('#')
  const isWorkspace = context.parentURL !== undefined && !context.parentURL.includes('/node_modules/')
  if (!isOwn || !isWorkspace) return next(specifier, context)
  return next(specifier, { ...context, conditions: [...context.conditions, 'source'] })
}
