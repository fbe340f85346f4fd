import { join } from 'node:path'
import { type Entry, entriesOf, type LocalFs, namesOf, orAbsent } from './local-fs.js'

export const NOT_UTF8 = 'its name is not UTF-8: rename it'

/** Node's replacement for bytes that are not UTF-8. A name may also contain this character itself. */
const REPLACEMENT = '\ufffd'

/** Returns the names in a folder that are UTF-8, and the paths of the others, with `%XX` for bytes that are not ASCII. */
export async function decodableNames(
  fs: LocalFs,
  dir: string,
  o: { readonly small?: boolean } = {},
): Promise<{ readonly names: readonly string[]; readonly undecodable: readonly string[] }> {
  const names = await namesOf(fs, dir, o)
  if (!names.some((name) => name.includes(REPLACEMENT))) return { names, undecodable: [] }
  const { real, undecodable } = await bytewise(fs, dir)
  return { names: names.filter((name) => !name.includes(REPLACEMENT) || real.delete(name)), undecodable }
}

/** Like `decodableNames`, with the kind of each entry. */
export async function decodableEntries(
  fs: LocalFs,
  dir: string,
): Promise<{ readonly entries: readonly Entry[]; readonly undecodable: readonly string[] }> {
  const entries = await entriesOf(fs, dir)
  if (!entries.some(({ name }) => name.includes(REPLACEMENT))) return { entries, undecodable: [] }
  const { real, undecodable } = await bytewise(fs, dir)
  const kept = entries.filter(({ name }) => !name.includes(REPLACEMENT) || real.has(name))
  const seen = new Set<string>()
  // a name that contains the character itself may equal the decoded form of another name: list each path once
  const once = kept.filter(({ name }) => !seen.has(name) && seen.add(name))
  return { entries: once, undecodable }
}

/** Names that contain the replacement character itself, and those that are not UTF-8. */
async function bytewise(fs: LocalFs, dir: string): Promise<{ real: Set<string>; undecodable: string[] }> {
  const real = new Set<string>()
  const undecodable: string[] = []
  const names = (await orAbsent(fs.readdir(dir, { withFileTypes: false, encoding: 'buffer' }))) ?? []
  for (const name of names) {
    if (!(name instanceof Uint8Array)) continue
    const bytes = Buffer.from(name)
    const text = bytes.toString('utf8')
    if (!text.includes(REPLACEMENT)) continue
    if (Buffer.from(text, 'utf8').equals(bytes)) real.add(text)
    else undecodable.push(join(dir, escaped(bytes)))
  }
  return { real, undecodable }
}

/** Keeps printable ASCII except `%`; writes all other bytes as `%XX`. */
const escaped = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('')
