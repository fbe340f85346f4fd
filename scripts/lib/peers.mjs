/**
 * What some suites run against and `npm test` does without; a CI run may do without none of them.
 *
 * @type {readonly { name: string, install: string, present: () => boolean }[]}
 */
export const peers = []
