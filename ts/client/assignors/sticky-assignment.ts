import type { TopicPartition } from '../consumer-options.js'
import type { GroupAssignment, GroupMember, PartitionCounts } from './assignor.js'
import { byText, inOrder } from './member-order.js'

/** A member and what it holds, by who else could have it. */
interface Holder {
  readonly memberId: string
  readonly topics: ReadonlySet<string>
  load: number
  /** What it had before and keeps, and what it is given: the second is taken away first. */
  readonly kept: Map<Audience, TopicPartition[]>
  readonly given: Map<Audience, TopicPartition[]>
}

/** The members that want a topic. Topics wanted by the same members share one, which is what keeps this fast. */
type Audience = readonly Holder[]

/**
 * Shares out partitions so that members differ as little as their wishes permit (none could take over a partition of a
 * member that has two more), moving as few as that takes from where they are. Where two members claim a partition, the
 * later generation holds it; where both are of the same, neither does.
 */
export function stickyAssignment(partitions: PartitionCounts, members: readonly GroupMember[]): GroupAssignment {
  const holders = inOrder(members).map(({ memberId, topics }): Holder => {
    return { memberId, topics: new Set(topics), load: 0, kept: new Map(), given: new Map() }
  })
  const byId = new Map(holders.map((holder) => [holder.memberId, holder]))
  const audiences = audiencesOf(partitions, holders)
  const owners = ownersOf(members)
  const homeless: { place: TopicPartition; audience: Audience }[] = []
  for (const [topic, audience] of audiences) {
    const count = partitions.get(topic)!
    for (let partition = 0; partition < count; partition++) {
      const place = { topic, partition }
      const holder = byId.get(owners.get(nameOf(place))?.memberId ?? '')
      if (holder === undefined || !holder.topics.has(topic)) homeless.push({ place, audience })
      else put(holder, holder.kept, audience, place)
    }
  }
  // Who is wanted by few is placed first: the others have more ways to make up for it.
  homeless.sort((a, b) => a.audience.length - b.audience.length)
  for (const { place, audience } of homeless) {
    const holder = leastLoaded(audience)
    put(holder, holder.given, audience, place)
  }
  balance(holders)
  return new Map(holders.map((holder) => [holder.memberId, placesOf(holder)]))
}

/** Each claimed partition's owner. Null for one that two members claim of the same generation. */
export function ownersOf(
  members: readonly GroupMember[],
): Map<string, { memberId: string | null; generation: number }> {
  const owners = new Map<string, { memberId: string | null; generation: number }>()
  for (const { memberId, generation, owned } of members) {
    for (const place of owned) {
      const name = nameOf(place)
      const other = owners.get(name)
      if (other === undefined || other.generation < generation) owners.set(name, { memberId, generation })
      else if (other.generation === generation && other.memberId !== memberId) other.memberId = null
    }
  }
  return owners
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}

function audiencesOf(partitions: PartitionCounts, holders: readonly Holder[]): Map<string, Audience> {
  const wanting = new Map<string, number[]>()
  for (const [index, { topics }] of holders.entries()) {
    for (const topic of topics) {
      if ((partitions.get(topic) ?? 0) === 0) continue
      const indexes = wanting.get(topic)
      if (indexes === undefined) wanting.set(topic, [index])
      else indexes.push(index)
    }
  }
  const known = new Map<string, Audience>()
  const audiences = new Map<string, Audience>()
  for (const topic of [...wanting.keys()].sort(byText)) {
    const indexes = wanting.get(topic)!
    const name = indexes.join()
    const audience = known.get(name) ?? indexes.map((index) => holders[index])
    known.set(name, audience)
    audiences.set(topic, audience)
  }
  return audiences
}

/**
 * Moves partitions to members that have at least two fewer, until there is none to move. Who has most gives first, one
 * at a time: to drain one member after the other would move more than it takes.
 */
function balance(holders: readonly Holder[]): void {
  for (let moved = true; moved; ) {
    moved = false
    const most = Math.max(...holders.map(({ load }) => load))
    for (let load = most; load > 1; load--) {
      for (const holder of holders) if (holder.load === load && moveOne(holder)) moved = true
    }
  }
}

/** Each move makes the sum of the squared loads smaller, so that this comes to an end. */
function moveOne(from: Holder): boolean {
  let to: Holder | null = null
  let source: TopicPartition[] | null = null
  let through: Audience | null = null
  for (const places of [from.given, from.kept]) {
    for (const [audience, list] of places) {
      if (list.length === 0) continue
      const candidate = leastLoaded(audience)
      const limit = to === null ? from.load - 1 : to.load
      if (candidate.load >= limit) continue
      to = candidate
      source = list
      through = audience
    }
  }
  if (to === null) return false
  const place = source!.pop()!
  from.load--
  put(to, to.given, through!, place)
  return true
}

function leastLoaded(audience: Audience): Holder {
  let least = audience[0]
  for (const holder of audience) if (holder.load < least.load) least = holder
  return least
}

function put(holder: Holder, places: Map<Audience, TopicPartition[]>, audience: Audience, place: TopicPartition): void {
  const list = places.get(audience)
  if (list === undefined) places.set(audience, [place])
  else list.push(place)
  holder.load++
}

function placesOf({ kept, given }: Holder): TopicPartition[] {
  const places = [...kept.values(), ...given.values()].flat()
  return places.sort((a, b) => byText(a.topic, b.topic) || a.partition - b.partition)
}
