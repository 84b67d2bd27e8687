import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { SeglogError } from '../errors/seglog-error.js'
import { open } from '../open.js'
import type { CodecName } from '../records/codecs/codec-name.js'
import { acks, compressionOption, jsonOption, wholeNumber } from './arguments.js'
import { bytesText, count, Progress, printJson, printTable, wantsJson } from './terminal.js'

/** `seglog bench`: how fast this machine writes and reads. */
export function register(program: Command): void {
  program
    .command('bench')
    .description('Write and read records in a new directory that is removed afterwards, and print the rates.')
    .option('--data <dir>', 'where to make it (default: the temporary directory)')
    .option('--records <n>', 'how many', wholeNumber(1), 1_000_000)
    .option('--size <bytes>', 'size of a value', wholeNumber(0, 64 * 1024 * 1024), 100)
    .option('--acks <level>', '0 accepted, 1 in the log, all on disk', acks, 1)
    .addOption(compressionOption())
    .addOption(jsonOption())
    .action(bench)
}

interface BenchOptions {
  data?: string
  records: number
  size: number
  acks: 0 | 1 | 'all'
  compression: CodecName
  json?: boolean
}

const topic = 'bench'
const perSend = 1000
const sendsMax = 16

async function bench(options: BenchOptions): Promise<void> {
  const folder = await mkdtemp(join(options.data ?? tmpdir(), 'seglog-bench-'))
  const log = await open(folder)
  try {
    await log.admin().createTopic({ topic, partitions: 1 })
    const producer = log.producer({ acks: options.acks, compression: options.compression })
    const written = await timed(options, 'write', (tick) => write(producer, options, tick))
    await producer.close()
    const consumer = log.consumer({ from: 'earliest' })
    await consumer.subscribe([topic])
    const read = await timed(options, 'read', async (tick) => {
      let records = 0
      for await (const batch of consumer.batches()) {
        batch.forEachView(() => {
          records++
        })
        tick(records)
        if (records >= options.records) break
      }
      if (records !== options.records)
        throw new SeglogError('CORRUPT_LOG', `${records} records read of ${options.records}`)
    })
    print([written, read], wantsJson(options))
  } finally {
    await log.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function write(
  producer: Writer,
  { records, size }: BenchOptions,
  tick: (records: number) => void,
): Promise<void> {
  const values = Array.from({ length: 64 }, (_, index) => Buffer.alloc(size, index))
  let sends: Promise<unknown>[] = []
  for (let sent = 0; sent < records; ) {
    const messages = Array.from({ length: Math.min(perSend, records - sent) }, (_, index) => ({
      value: values[index % 64],
    }))
    sends.push(producer.send({ topic, messages }))
    sent += messages.length
    if (sends.length === sendsMax) {
      await Promise.all(sends)
      sends = []
      tick(sent)
    }
  }
  await Promise.all(sends)
}

interface Writer {
  send(record: { topic: string; messages: { value: Buffer }[] }): Promise<unknown>
}

interface Row {
  what: string
  records: number
  bytes: number
  seconds: number
  recordsPerSecond: number
  bytesPerSecond: number
}

async function timed(
  options: BenchOptions,
  what: string,
  work: (tick: (records: number) => void) => Promise<void>,
): Promise<Row> {
  let done = 0
  const progress = new Progress(() => `${what}: ${count(done)} records`)
  const startMs = performance.now()
  await work((records) => {
    done = records
    progress.tick()
  })
  const seconds = (performance.now() - startMs) / 1000
  progress.end()
  const { records } = options
  const bytes = records * options.size
  return {
    what,
    records,
    bytes,
    seconds,
    recordsPerSecond: Math.round(records / seconds),
    bytesPerSecond: Math.round(bytes / seconds),
  }
}

function print(rows: Row[], json: boolean): void {
  if (json) for (const row of rows) printJson(row)
  if (json) return
  printTable(
    [
      { title: '', text: ({ what }) => what },
      { title: 'RECORDS', text: ({ records }) => count(records), align: 'right' },
      { title: 'RECORDS/S', text: ({ recordsPerSecond }) => count(recordsPerSecond), align: 'right' },
      { title: 'VALUES/S', text: ({ bytesPerSecond }) => `${bytesText(bytesPerSecond)}/s`, align: 'right' },
      { title: 'SECONDS', text: ({ seconds }) => seconds.toFixed(2), align: 'right' },
    ],
    rows,
  )
}
