import { protocolError } from '../../../protocol/errors.js'
import type { Topics } from '../../topics.js'

type Engine = typeof import('re2js')
type Pattern = ReturnType<Engine['RE2JS']['compile']>

/** A longer one is refused: the time that one takes grows with its length. */
const lengthMax = 1000
/** Expressions whose topics are remembered, by all groups together. */
const knownMax = 200

interface Known {
  readonly pattern: Pattern
  /** What each topic's name was found to be. */
  readonly matches: Map<string, boolean>
  /** The state of the topics that `topics` is right for. */
  version: number
  topics: readonly string[]
}

/**
 * Which topics a regular expression stands for: those whose whole name it matches, internal ones too, as in Kafka. The
 * engine is RE2's, as Kafka's is: its time is linear in the name, whatever the expression. A name is looked at once.
 */
export class TopicPatterns {
  readonly #topics: Topics
  readonly #known = new Map<string, Known>()

  constructor(topics: Topics) {
    this.#topics = topics
  }

  /** The names of the topics, in order. Throws INVALID_REGULAR_EXPRESSION. */
  matching(regex: string): readonly string[] {
    const known = this.#known.get(regex) ?? this.#remember(regex)
    const { changes } = this.#topics
    if (known.version === changes) return known.topics
    if (known.matches.size > 2 * this.#topics.count) known.matches.clear()
    const topics: string[] = []
    for (const { name } of this.#topics.all) {
      let matches = known.matches.get(name)
      if (matches === undefined) {
        matches = known.pattern.matches(name)
        known.matches.set(name, matches)
      }
      if (matches) topics.push(name)
    }
    known.topics = topics.sort()
    known.version = changes
    return known.topics
  }

  #remember(regex: string): Known {
    const known: Known = { pattern: compile(regex), matches: new Map(), version: -1, topics: [] }
    if (this.#known.size >= knownMax) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(regex, known)
    return known
  }
}

let loaded: Engine | undefined

function compile(regex: string): Pattern {
  if (regex.length > lengthMax) {
    const message = `the regular expression of a subscription may have ${lengthMax} characters, not ${regex.length}`
    throw protocolError('INVALID_REGULAR_EXPRESSION', message)
  }
  loaded ??= require('re2js') as Engine
  try {
    return loaded.RE2JS.compile(regex)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const message = `${JSON.stringify(regex)} is no regular expression that RE2 takes: ${why}`
    throw protocolError('INVALID_REGULAR_EXPRESSION', message, { cause })
  }
}
