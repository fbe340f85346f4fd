/** How the demo talks: plain text, numbered steps; colour and a moving bar only where a person looks at a terminal. */

const terminal = process.stdout.isTTY === true
const colours = terminal && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'
const styled = (code: number) => (text: string) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)

export const bold = styled(1)
export const dim = styled(2)
export const good = styled(32)
export const bad = styled(31)

let steps = 0
export function step(title: string): void {
  steps++
  console.log(`\n${bold(`${steps}. ${title}`)}`)
}

export function say(text = ''): void {
  console.log(text === '' ? '' : `   ${text}`)
}

/** `label` and what it is, in columns. */
export function tell(label: string, value: string): void {
  say(`${label.padEnd(18)} ${value}`)
}

/** Bytes as people say them: `1.5 GiB (1,610,612,736 bytes)`. */
export function bytes(count: number): string {
  const exact = `${count.toLocaleString('en')} ${count === 1 ? 'byte' : 'bytes'}`
  if (count < 1024) return exact
  const power = Math.min(Math.floor(Math.log2(count) / 10), 4)
  return `${(count / 1024 ** power).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB', 'TiB'][power]} (${exact})`
}

export function duration(ms: number): string {
  return ms < 1000 ? `${Math.ceil(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** Control characters in a name would otherwise steer the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}

/** An `onProgress` that shows a bar: moving on a terminal, else one line for every quarter. */
export function progressBar(): (accepted: number, total?: number) => void {
  let shown = -1
  return (accepted, total = accepted) => {
    const part = total === 0 ? 1 : accepted / total
    const state = Math.floor(part * (terminal ? 100 : 4))
    if (state === shown) return
    shown = state
    const bar = '#'.repeat(Math.floor(part * 30)).padEnd(30, '.')
    const line = `   [${bar}] ${String(Math.floor(part * 100)).padStart(3)} %`
    if (!terminal) console.log(line)
    else process.stdout.write(`\r${line}${part === 1 ? '\n' : ''}`)
  }
}
