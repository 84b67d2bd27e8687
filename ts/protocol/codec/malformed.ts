import { SeglogError } from '../../errors/seglog-error.js'

/** What the other side sent is not what the protocol allows: a SeglogError MALFORMED_MESSAGE to throw. */
export function malformed(what: string): SeglogError {
  return new SeglogError('MALFORMED_MESSAGE', what)
}
