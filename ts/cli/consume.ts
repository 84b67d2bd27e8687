import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { ConsumerMessage } from '../client/consumer-message.js'
import type { SeglogLog } from '../client/log.js'
import { type Start, start, wholeNumber, withTarget } from './arguments.js'
import { ConsumeOutput } from './consume-output.js'
import { firstPlaces, nextPlaces, type Place } from './consume-places.js'
import { formatter } from './format.js'
import { untilInterrupted } from './interruption.js'
import { type TargetOptions, targetOf, withLog } from './target.js'

/** `seglog consume`: records to stdout. */
export function register(program: Command): void {
  withTarget(program.command('consume <topic>'))
    .description('Print the records of a topic, and go on with those that are written meanwhile.')
    .option('--from <place>', 'start, end, OFFSET, -N (the last N of each partition), @TIMESTAMP', start, {
      at: 'earliest',
    })
    .addOption(
      new Option('--group <id>', 'read as a member of this group, and commit what was printed').conflicts('partition'),
    )
    .option('--partition <n>', 'only this partition', wholeNumber(0, 0x7fffffff))
    .option('--count <n>', 'stop after so many records', wholeNumber(0))
    .option('--exit-at-end', 'stop where the topic ended when the command began')
    .option('--format <text>', "a record's text: %t %p %o %k %v %h %T %%, \\n \\t", formatter)
    .action(consume)
}

interface ConsumeOptions extends TargetOptions {
  from: Start
  group?: string
  partition?: number
  count?: number
  exitAtEnd?: boolean
  format?: (message: ConsumerMessage) => Buffer
}

/** A directory that another process writes is looked at this often. */
const lookMs = 200
/** Brokers are asked for new partitions this often. */
const lookForPartitionsMs = 5_000

async function consume(topic: string, options: ConsumeOptions): Promise<void> {
  const output = new ConsumeOutput(options)
  const { group: groupId, from, count = Number.POSITIVE_INFINITY, exitAtEnd = false } = options
  await untilInterrupted(async (signal) => {
    if (groupId === undefined) return readPartitions(topic, options, output, signal)
    const { consumeAsMember } = await import('./consume-group.js')
    const reading = { groupId, from, count, exitAtEnd, output, signal }
    return withLog(options, 'write', (log) => consumeAsMember(log, topic, reading))
  })
  await output.end(topic)
}

async function readPartitions(
  topic: string,
  options: ConsumeOptions,
  output: ConsumeOutput,
  signal: AbortSignal,
): Promise<void> {
  const { from, partition, exitAtEnd = false, count = Number.POSITIVE_INFINITY } = options
  // A directory is read as it was when it was opened; brokers tell what is new.
  const isSnapshot = targetOf(options).kind === 'directory'
  const positions = new Map<number, bigint>()
  for (let isFirst = true; ; isFirst = false) {
    await withLog(options, 'read', async (log) => {
      const admin = log.admin()
      const places = isFirst
        ? await firstPlaces(admin, topic, from, partition)
        : await nextPlaces(admin, topic, positions, partition)
      for (const { partition, offset } of places) positions.set(partition, offset)
      const isEndless = !exitAtEnd && !isSnapshot
      const isOnePartition = partition !== undefined
      await read(log, topic, places, { isEndless, isOnePartition, count, positions, output, signal })
    })
    if (exitAtEnd || !isSnapshot || output.records >= count) return
    await sleep(lookMs, undefined, { signal })
  }
}

interface Reading {
  isEndless: boolean
  isOnePartition: boolean
  /** Of all records together. */
  count: number
  /** Kept: the next offset of each partition. */
  positions: Map<number, bigint>
  output: ConsumeOutput
  signal: AbortSignal
}

async function read(log: SeglogLog, topic: string, places: readonly Place[], reading: Reading): Promise<void> {
  const { isEndless, isOnePartition, count, positions, output, signal } = reading
  const ends = new Map(places.map(({ partition, end }) => [partition, end]))
  const wanted = places.filter(({ offset, end }) => isEndless || offset < end)
  const open = new Set(wanted.map(({ partition }) => partition))
  if (open.size === 0 || output.records >= count) return
  const metadataMaxAge = lookForPartitionsMs
  const consumer = log.consumer({ signal, from: 'earliest', autoOffsetReset: 'error', metadataMaxAge })
  const starts = wanted.map(({ partition, offset }) => ({ topic, partition, offset }))
  if (isEndless && !isOnePartition) {
    // Partitions that are added later are read too, from their first record.
    await consumer.subscribe([topic])
    for (const start of starts) consumer.seek(start)
  } else await consumer.assign(starts)
  for await (const batch of consumer.batches()) {
    const end = isEndless ? null : (ends.get(batch.partition) ?? 0n)
    for (const message of batch) {
      if (end !== null && message.offset >= end) break
      await output.add(message)
      positions.set(message.partition, message.offset + 1n)
      if (output.records >= count) break
    }
    await output.flush()
    const next = batch.lastOffset + 1n
    if (output.records < count && next > (positions.get(batch.partition) ?? 0n)) positions.set(batch.partition, next)
    if (end !== null && next >= end) open.delete(batch.partition)
    if (output.records >= count || open.size === 0) return
  }
}
