import { SeglogError } from '../errors/seglog-error.js'
import { offsetQuery } from '../protocol/messages/02-list-offsets.js'
import type { AdminCalls } from './admin-calls.js'
import type { OffsetReset, ResetTarget } from './admin-group-options.js'
import type { TopicPartition } from './consumer-options.js'
import { invalidOption } from './options.js'
import { askOffsets, placeName, within } from './partition-ends.js'

/** Checks that a target has what it needs, and nothing else. Throws INVALID_OPTION. */
export function checkTarget(target: ResetTarget): void {
  const of = 'admin.resetOffsets()'
  const given = target as unknown as Record<string, unknown>
  const needs = { earliest: null, latest: null, offset: 'offset', timestamp: 'timestamp', shift: 'by' }[target.to]
  for (const name of ['offset', 'timestamp', 'by']) {
    if (name === needs && given[name] === undefined)
      throw invalidOption(of, name, `given for '${target.to}'`, undefined)
    if (name !== needs && given[name] !== undefined) {
      throw invalidOption(of, name, `left out for '${target.to}'`, given[name])
    }
  }
}

/**
 * Where the offsets of a group would go. Every one lies within its log. Partitions that do not exist are left out; a
 * shift of a partition without an offset is INVALID_ARGUMENT.
 */
export async function planReset(
  calls: AdminCalls,
  places: readonly TopicPartition[],
  committed: ReadonlyMap<string, bigint>,
  target: ResetTarget,
): Promise<OffsetReset[]> {
  const starts = await askOffsets(calls, places, offsetQuery.earliest)
  const ends = await askOffsets(calls, places, offsetQuery.latest)
  const at = target.to === 'timestamp' ? await askOffsets(calls, places, BigInt(target.timestamp)) : null
  return places.flatMap(({ topic, partition }) => {
    const name = placeName({ topic, partition })
    const start = starts.get(name)
    const end = ends.get(name)
    if (start === undefined || end === undefined) return []
    const known = committed.get(name) ?? null
    const found = at?.get(name) ?? -1n
    const wanted = wantedOffset(target, { topic, partition }, start, end, known, found)
    return [{ topic, partition, committed: known, offset: within(wanted, start, end) }]
  })
}

function wantedOffset(
  target: ResetTarget,
  place: TopicPartition,
  start: bigint,
  end: bigint,
  committed: bigint | null,
  at: bigint,
): bigint {
  switch (target.to) {
    case 'earliest':
      return start
    case 'latest':
      return end
    case 'offset':
      return BigInt(target.offset)
    case 'timestamp':
      return at < 0n ? end : at
    default:
      if (committed === null) {
        const message = `the group has no offset of ${placeName(place)} that could be shifted`
        throw new SeglogError('INVALID_ARGUMENT', message, place)
      }
      return committed + BigInt(target.by)
  }
}
