import { SeglogError } from '../errors/seglog-error.js'
import type { Start } from './arguments.js'
import { type TargetOptions, withLog } from './target.js'
import { printJson, printTable, say, wantsJson } from './terminal.js'

/** `seglog topic offsets`: both ends of each partition, or one place in it. */
export function offsets(topic: string, options: TargetOptions & { at?: Start }): Promise<void> {
  const { at } = options
  if (at?.at === 'offset' || at?.at === 'last')
    throw new SeglogError('INVALID_OPTION', '--at is start, end or @TIMESTAMP', { key: 'at' })
  return withLog(options, 'read', async (log) => {
    const admin = log.admin()
    if (at?.at === 'time') {
      const found = await admin.listOffsets({ topic, timestamp: at.timestamp })
      const rows = found.map(({ partition, offset, timestamp }) => ({ topic, partition, offset, timestamp }))
      print(rows, ['offset', 'timestamp'], options)
      return
    }
    const found = await admin.listOffsets({ topic })
    const rows = found.map(({ partition, earliest, latest }) => {
      if (at === undefined) return { topic, partition, earliest, latest }
      return { topic, partition, offset: at.at === 'earliest' ? earliest : latest }
    })
    print(rows, at === undefined ? ['earliest', 'latest'] : ['offset'], options)
  })
}

type Row = { topic: string; partition: number } & Readonly<Record<string, unknown>>

function print(rows: readonly Row[], columns: readonly string[], options: TargetOptions): void {
  if (wantsJson(options)) {
    for (const row of rows) printJson(row)
    return
  }
  printTable(
    ['partition', ...columns].map((name) => ({
      title: name.toUpperCase(),
      text: (row: Row) => String(row[name] ?? '-'),
      align: 'right' as const,
    })),
    rows,
  )
}

/** `seglog topic delete-records`: raises the start of partitions. */
export function deleteRecords(
  topic: string,
  options: TargetOptions & { before: Start; partition?: number },
): Promise<void> {
  const { before, partition } = options
  if (before.at !== 'offset' && before.at !== 'latest')
    throw new SeglogError('INVALID_OPTION', '--before is an OFFSET, or end', { key: 'before' })
  const offset: bigint | 'latest' = before.at === 'offset' ? before.offset : 'latest'
  return withLog(options, 'write', async (log) => {
    const admin = log.admin()
    const { partitions } = await admin.describeTopic(topic)
    const wanted = partitions.filter((one) => partition === undefined || one.partition === partition)
    if (wanted.length === 0)
      throw new SeglogError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${partition}`, {
        topic,
        partition,
      })
    const places = wanted.map((one) => ({ partition: one.partition, offset }))
    const rows = await admin.deleteRecords({ topic, partitions: places })
    if (wantsJson(options)) for (const row of rows) printJson(row)
    else for (const row of rows) say(`${topic}-${row.partition} now starts at ${row.earliest}`)
  })
}
