/** C0 and C1 controls, line separators, and the characters that change the direction of text or are invisible. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/**
 * Converts a text to one line that a terminal or a log shows unchanged. Line breaks and tabs become blanks. Other control
 * characters, and characters that reorder or hide text, become escapes such as `\u001b`. Applied to texts of servers and folders
 * in messages, by the constructor of IvcapError and by `emit`.
 */
export const plainText = (text: string): string =>
  text.replace(UNSAFE, (char) =>
    char === '\n' || char === '\r' || char === '\t'
      ? ' '
      : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
