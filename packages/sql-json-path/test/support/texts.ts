import fc from 'fast-check'

/** Texts that are made of parts. */
export type Text = fc.Arbitrary<string>

export const one = (...texts: string[]): Text => fc.constantFrom(...texts)
export const join = (...parts: (Text | string)[]): Text =>
  fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((t) => t.join(''))
export const more = (weight: number, arbitrary: Text) => ({ weight, arbitrary })

/** Most expressions have none. */
export const REGEX_FLAGS = ['', '', ' flag "i"', ' flag "m"', ' flag "s"', ' flag "q"', ' flag "ism"']
