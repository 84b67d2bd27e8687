import { open as openFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { PartitionedMessage } from '../client/producer-options.js'
import { open } from '../open.js'
import type { CodecName } from '../records/codecs/codec-name.js'
import { acks, compressionOption, type DataOptions, keyValues, wholeNumber, withData } from './arguments.js'
import { lines } from './lines.js'
import { bytesText, count, Progress, plural, printJson, say } from './terminal.js'

/** `seglog produce`: a record per line. */
export function register(program: Command): void {
  withData(program.command('produce <topic>'))
    .description('Write a record per line of a file or of standard input.')
    .option('--file <path>', 'read lines from a file')
    .option('--key-separator <text>', 'what stands between key and value; a line without it has no key')
    .option('--partition <n>', 'write to this partition', wholeNumber(0, 0x7fffffff))
    .option('--acks <level>', '0 accepted, 1 in the log, all on disk', acks, 'all')
    .option('--header <key=value>', 'a header of every record; repeatable', keyValues)
    .addOption(compressionOption())
    .action(produce)
}

interface ProduceOptions extends DataOptions {
  file?: string
  keySeparator?: string
  partition?: number
  acks: 0 | 1 | 'all'
  header?: Record<string, string>
  compression: CodecName
}

/** Sends on their way at once; each holds the lines of one chunk of input. */
const sendsMax = 16

async function produce(topic: string, options: ProduceOptions): Promise<void> {
  // Opened first: a file that is not there must not leave an empty data directory behind.
  const file = options.file === undefined ? null : await openFile(options.file)
  const input = file?.createReadStream({ highWaterMark: 256 * 1024 }) ?? process.stdin
  const messageOf = messageMaker(options)
  const startMs = performance.now()
  const log = await open(options.data)
  try {
    const producer = log.producer({ acks: options.acks, compression: options.compression })
    let records = 0
    let bytes = 0
    const partitions = new Set<number>()
    const progress = new Progress(() => `${count(records)} records, ${bytesText(bytes)}`)
    const running = new Set<Promise<void>>()
    let failure: unknown = null
    for await (const found of lines(input)) {
      const messages = found.map(messageOf)
      const send = producer
        .send({ topic, messages })
        .then((results) => {
          for (const result of results) partitions.add(result.partition)
          records += messages.length
          for (const line of found) bytes += line.length
          progress.tick()
        })
        .catch((error: unknown) => {
          failure ??= error
        })
        .finally(() => running.delete(send))
      running.add(send)
      if (running.size >= sendsMax) await Promise.race(running)
      if (failure !== null) break
    }
    await Promise.all(running)
    progress.end()
    if (failure !== null) throw failure
    const seconds = (performance.now() - startMs) / 1000
    say(`${plural(records, 'record')}, ${bytesText(bytes)} to ${topic} in ${seconds.toFixed(2)} s`)
    if (options.json) printJson({ topic, records, bytes, seconds, partitions: [...partitions].sort((a, b) => a - b) })
  } finally {
    await log.close()
  }
}

function messageMaker(options: ProduceOptions): (line: Buffer) => PartitionedMessage {
  const { partition, header: headers } = options
  const separator = options.keySeparator === undefined ? null : Buffer.from(options.keySeparator)
  return (line) => {
    const text = line.at(-1) === 0x0d ? line.subarray(0, -1) : line
    const at = separator === null ? -1 : text.indexOf(separator)
    const key = at < 0 ? null : text.subarray(0, at)
    const value = at < 0 ? text : text.subarray(at + separator!.length)
    return { key, value, headers, partition }
  }
}
