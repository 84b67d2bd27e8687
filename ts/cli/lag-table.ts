import type { PartitionLag } from '../client/admin-group-options.js'
import { type Column, count, tableLines, terminal } from './terminal.js'

/** How far a group is behind in one topic. */
export interface TopicLag {
  groupId: string
  topic: string
  partitions: number
  /** Of all partitions that have committed offsets; null if none has. */
  lag: bigint | null
  /** Of the partition that is furthest behind in time; null where none tells. */
  lagSeconds: number | null
}

/** Sums by group and topic, in the order they come. */
export function byTopic(partitions: readonly PartitionLag[]): TopicLag[] {
  const topics = new Map<string, TopicLag>()
  for (const { groupId, topic, lag, lagSeconds } of partitions) {
    const key = JSON.stringify([groupId, topic])
    const sum = topics.get(key) ?? { groupId, topic, partitions: 0, lag: null, lagSeconds: null }
    topics.set(key, {
      ...sum,
      partitions: sum.partitions + 1,
      lag: lag === null ? sum.lag : (sum.lag ?? 0n) + lag,
      lagSeconds: lagSeconds === null ? sum.lagSeconds : Math.max(sum.lagSeconds ?? 0, lagSeconds),
    })
  }
  return [...topics.values()]
}

/** Seconds as 5 s, 3 min, 2 h, 4 d; `-` for what is not known. */
export function age(seconds: number | null): string {
  if (seconds === null) return '-'
  const units: [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
  ]
  const [size, unit] = units.find(([size]) => seconds >= 2 * size) ?? [1, 's']
  return `${count(Math.floor(seconds / size))} ${unit}`
}

const known = (value: bigint | number | null) => (value === null ? '-' : count(value))

const lagColumns: readonly Column<{ lag: bigint | null; lagSeconds: number | null }>[] = [
  { title: 'LAG', text: ({ lag }) => known(lag), align: 'right' },
  { title: 'BEHIND', text: ({ lagSeconds }) => age(lagSeconds), align: 'right' },
]

export function partitionLines(partitions: readonly PartitionLag[]): string[] {
  return tableLines<PartitionLag>(
    [
      { title: 'TOPIC', text: ({ topic }) => topic },
      { title: 'PARTITION', text: ({ partition }) => partition, align: 'right' },
      { title: 'COMMITTED', text: ({ committed }) => committed ?? '-', align: 'right' },
      { title: 'END', text: ({ end }) => end, align: 'right' },
      ...lagColumns,
      { title: 'MEMBER', text: ({ memberId }) => memberId ?? '-' },
    ],
    partitions,
  )
}

export function topicLines(topics: readonly TopicLag[]): string[] {
  return tableLines<TopicLag>(
    [
      { title: 'GROUP', text: ({ groupId }) => groupId },
      { title: 'TOPIC', text: ({ topic }) => topic },
      { title: 'PARTITIONS', text: ({ partitions }) => partitions, align: 'right' },
      ...lagColumns,
    ],
    topics,
  )
}

export function printLag(partitions: readonly PartitionLag[]): void {
  for (const line of partitionLines(partitions)) terminal.stdout.write(`${line}\n`)
}
