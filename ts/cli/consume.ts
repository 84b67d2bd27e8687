import type { Command } from 'commander'
import type { Admin } from '../client/admin.js'
import type { ConsumerMessage } from '../client/consumer-message.js'
import { open } from '../open.js'
import { type DataOptions, type Start, start, wholeNumber, withData } from './arguments.js'
import { formatter, jsonLine } from './format.js'
import { bytesText, count, Progress, plural, say, terminal, wantsJson, writeOut } from './terminal.js'

/** `seglog consume`: records to stdout. */
export function register(program: Command): void {
  withData(program.command('consume <topic>'))
    .description('Print the records of a topic, up to where it ends when the command begins.')
    .option('--from <place>', 'start, end, OFFSET, -N (the last N of each partition), @TIMESTAMP', start, {
      at: 'earliest',
    })
    .option('--partition <n>', 'only this partition', wholeNumber(0, 0x7fffffff))
    .option('--count <n>', 'stop after so many records', wholeNumber(0))
    .option('--exit-at-end', 'stop there without a word')
    .option('--format <text>', "a record's text: %t %p %o %k %v %h %T %%, \\n \\t", formatter)
    .action(consume)
}

interface ConsumeOptions extends DataOptions {
  from: Start
  partition?: number
  count?: number
  exitAtEnd?: boolean
  format?: (message: ConsumerMessage) => Buffer
}

const onTerminal = formatter('%p:%o\t%k\t%v\n')
/** Output is gathered to this size before it is written. */
const writeBytes = 64 * 1024

async function consume(topic: string, options: ConsumeOptions): Promise<void> {
  const log = await open(options.data, { readOnly: true })
  const interrupted = new AbortController()
  const interrupt = () => interrupted.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    const places = await placesOf(log.admin(), topic, options)
    const consumer = log.consumer({ signal: interrupted.signal, from: 'earliest' })
    await consumer.assign(places.map(({ partition, offset }) => ({ topic, partition, offset })))
    const open = new Map(places.filter(({ offset, end }) => offset < end).map(({ partition, end }) => [partition, end]))
    const output = new Output(options)
    const isDone = () => output.records >= (options.count ?? Number.POSITIVE_INFINITY) || open.size === 0
    if (!isDone()) {
      for await (const batch of consumer.batches()) {
        for (const message of batch) {
          if (message.offset >= (open.get(message.partition) ?? 0n)) break
          await output.add(message)
          if (output.records === options.count) break
        }
        if (batch.lastOffset + 1n >= (open.get(batch.partition) ?? 0n)) open.delete(batch.partition)
        if (output.isQuiet) await output.flush()
        if (isDone()) break
      }
    }
    await output.end(topic)
    if (open.size === 0 && options.exitAtEnd !== true) say('this is the end; a running writer is not followed yet')
  } catch (error) {
    if (!interrupted.signal.aborted || (error as { code?: string }).code !== 'ABORTED') throw error
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await log.close()
  }
}

interface Place {
  partition: number
  offset: bigint
  end: bigint
}

async function placesOf(admin: Admin, topic: string, { from, partition }: ConsumeOptions): Promise<Place[]> {
  const partitions = partition === undefined ? undefined : [partition]
  const known = await admin.listOffsets({ topic, partitions })
  const found = from.at === 'time' ? await admin.listOffsets({ topic, partitions, timestamp: from.timestamp }) : []
  return known.map(({ partition, earliest, latest }, index) => {
    const offset = offsetOf(from, earliest, latest, found[index]?.offset ?? null)
    return { partition, offset, end: latest }
  })
}

function offsetOf(from: Start, earliest: bigint, latest: bigint, atTime: bigint | null): bigint {
  switch (from.at) {
    case 'earliest':
      return earliest
    case 'latest':
      return latest
    case 'offset':
      return from.offset
    case 'last':
      return latest - from.records > earliest ? latest - from.records : earliest
    case 'time':
      return atTime ?? latest
  }
}

class Output {
  records = 0
  private bytes = 0
  private parts: Buffer[] = []
  private partBytes = 0
  private readonly startMs = performance.now()
  private readonly text: (message: ConsumerMessage) => Buffer
  private readonly progress = new Progress(() => `${count(this.records)} records`)

  constructor(options: ConsumeOptions) {
    const isJson = options.format === undefined && wantsJson(options)
    this.text = isJson ? (message) => Buffer.from(jsonLine(message)) : (options.format ?? onTerminal)
  }

  /** Someone watches: nothing may be held back. */
  get isQuiet(): boolean {
    return this.partBytes > 0
  }

  async add(message: ConsumerMessage): Promise<void> {
    const text = this.text(message)
    this.records++
    this.parts.push(text)
    this.partBytes += text.length
    if (this.partBytes >= writeBytes) await this.flush()
    if (terminal.stdout.isTTY !== true) this.progress.tick()
  }

  async flush(): Promise<void> {
    const text = Buffer.concat(this.parts)
    this.bytes += text.length
    this.parts = []
    this.partBytes = 0
    await writeOut(text)
  }

  async end(topic: string): Promise<void> {
    await this.flush()
    this.progress.end()
    const seconds = (performance.now() - this.startMs) / 1000
    say(`${plural(this.records, 'record')} of ${topic}, ${bytesText(this.bytes)} in ${seconds.toFixed(2)} s`)
  }
}
