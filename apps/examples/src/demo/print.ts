/** Prints the demo: plain text and numbered steps. Colours and a moving bar are used only on a terminal. */

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

/** Prints `label` and its value, in columns. */
export function tell(label: string, value: string): void {
  say(`${label.padEnd(18)} ${value}`)
}

/** Formats a number of bytes for people: `1.5 GiB (1,610,612,736 bytes)`. */
export function bytes(count: number): string {
  const exact = `${count.toLocaleString('en')} ${count === 1 ? 'byte' : 'bytes'}`
  if (count < 1024) return exact
  const power = Math.min(Math.floor(Math.log2(count) / 10), 4)
  return `${(count / 1024 ** power).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB', 'TiB'][power]} (${exact})`
}

export function duration(ms: number): string {
  return ms < 1000 ? `${Math.ceil(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** Replaces control characters, which would otherwise control the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}

/** Returns an `onProgress` that shows a bar: moving on a terminal, else one line for every quarter. */
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
