import { protocolError } from '../protocol/errors.js'

const lengthMax = 249

/**
 * Kafka's rules for topic names: 1 to 249 of a-z, A-Z, 0-9, dot, underscore and dash, neither "." nor "..". Throws
 * INVALID_TOPIC_EXCEPTION that says which rule is broken.
 */
export function checkTopicName(name: string): void {
  const fault = faultIn(name)
  if (fault !== null) throw protocolError('INVALID_TOPIC_EXCEPTION', fault, { topic: name.slice(0, lengthMax) })
}

/** True for a name that breaks none of the rules. */
export function isTopicName(name: string): boolean {
  return faultIn(name) === null
}

function faultIn(name: string): string | null {
  if (name === '') return 'a topic name must not be empty'
  if (name === '.' || name === '..') return `a topic cannot be named "${name}"; choose another name`
  if (name.length > lengthMax) {
    return `a topic name may have ${lengthMax} characters, "${name.slice(0, 20)}..." has ${name.length}`
  }
  const wrong = /[^a-zA-Z0-9._-]/u.exec(name)
  if (wrong === null) return null
  return `a topic name may hold letters, digits, ".", "_" and "-"; ${JSON.stringify(name)} has ${JSON.stringify(wrong[0])} at position ${wrong.index}`
}

/** Names equal under this key collide in Kafka's metric names, where "." and "_" are one. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}

export function collisionError(name: string, existing: string): Error {
  const message = `topic ${name} differs from the existing topic ${existing} only in "." and "_"; choose a name that differs more`
  return protocolError('INVALID_TOPIC_EXCEPTION', message, { topic: name })
}

/** Groups and their offsets. */
export const offsetsTopicName = '__consumer_offsets'

/** Kafka's own bookkeeping topics. */
export function isInternalTopic(name: string): boolean {
  return name === offsetsTopicName || name === '__transaction_state' || name === '__share_group_state'
}
