// Packed packages must not carry the condition `source`: it is of this workspace alone, and would break a consumer whose
// own `customConditions` name it.
module.exports = { hooks: { beforePacking: (manifest) => withoutSource(manifest, ['exports', 'imports']) } }

function withoutSource(manifest, fields) {
  for (const field of fields) strip(manifest[field])
  return manifest
}

function strip(conditions) {
  if (typeof conditions !== 'object' || conditions === null) return
  delete conditions.source
  for (const inner of Object.values(conditions)) strip(inner)
}
