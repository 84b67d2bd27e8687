import { createHash } from 'node:crypto'
import type { Topics } from '../../topics.js'
import type { ConsumerMember } from './consumer-member.js'

/** What the members of a group subscribe to, in terms of topics that exist. */
export class Subscriptions {
  readonly #members: ReadonlyMap<string, ConsumerMember>
  readonly #regexes: ReadonlyMap<string, readonly string[]>
  readonly #topics: Topics
  /** Topic ids by what a member subscribes with, which is mostly the same for all. */
  readonly #known = new Map<string, ReadonlySet<string>>()
  readonly #counts = new Map<string, number>()

  constructor(
    members: ReadonlyMap<string, ConsumerMember>,
    regexes: ReadonlyMap<string, readonly string[]>,
    topics: Topics,
  ) {
    this.#members = members
    this.#regexes = regexes
    this.#topics = topics
  }

  /** The ids of the topics that a member wants. */
  topicIds(member: ConsumerMember): ReadonlySet<string> {
    const key = JSON.stringify([member.regex, member.topics])
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const ids = new Set<string>()
    for (const name of namesOf(member, this.#regexes)) {
      const record = this.#topics.byName(name)?.record
      if (record === undefined) continue
      ids.add(record.id)
      this.#counts.set(record.id, record.partitions)
    }
    this.#known.set(key, ids)
    return ids
  }

  /** Partition counts of all topics that somebody wants, by topic id. */
  get partitionCounts(): ReadonlyMap<string, number> {
    for (const member of this.#members.values()) this.topicIds(member)
    return this.#counts
  }

  /** Changes when the topics that somebody wants do: 0 for none. */
  get hash(): bigint {
    const counts = [...this.partitionCounts].map(([id, partitions]) => `${id} ${partitions}\n`).sort()
    if (counts.length === 0) return 0n
    return createHash('sha256').update(counts.join('')).digest().readBigInt64BE(0)
  }
}

function* namesOf(
  { topics, regex }: ConsumerMember,
  regexes: ReadonlyMap<string, readonly string[]>,
): IterableIterator<string> {
  yield* topics
  if (regex !== null) yield* regexes.get(regex) ?? []
}
