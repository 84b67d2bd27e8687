import { open as openFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Producer } from '../client/producer.js'
import type { PartitionedMessage } from '../client/producer-options.js'
import type { CodecName } from '../records/codecs/codec-name.js'
import { acks, compressionOption, keyValues, wholeNumber, withTarget } from './arguments.js'
import { untilInterrupted } from './interruption.js'
import { lines } from './lines.js'
import { type TargetOptions, withLog } from './target.js'
import { bytesText, count, Progress, plural, printJson, say } from './terminal.js'

/** `seglog produce`: a record per line. */
export function register(program: Command): void {
  withTarget(program.command('produce <topic>'))
    .description('Write a record per line of a file or of standard input.')
    .option('--file <path>', 'read lines from a file')
    .option('--key-separator <text>', 'what stands between key and value; a line without it has no key')
    .option('--partition <n>', 'write to this partition', wholeNumber(0, 0x7fffffff))
    .option('--acks <level>', '0 accepted, 1 in the log, all on disk', acks, 'all')
    .option('--header <key=value>', 'a header of every record; repeatable', keyValues)
    .addOption(compressionOption())
    .action(produce)
}

interface ProduceOptions extends TargetOptions {
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
  await untilInterrupted((signal) =>
    withLog(options, 'write', async (log) => {
      // What was read by then is written; nothing more is asked for.
      signal.addEventListener('abort', () => input.destroy(), { once: true })
      const written = new Written()
      const progress = new Progress(() => `${count(written.records)} records, ${bytesText(written.bytes)}`)
      await sendLines(log.producer({ acks: options.acks, compression: options.compression }), topic, {
        input,
        signal,
        messageOf: messageMaker(options),
        onWritten: (lines, partitions) => {
          written.add(lines, partitions)
          progress.tick()
        },
      }).finally(() => progress.end())
      written.report(topic, options)
    }),
  )
}

interface Sending {
  input: AsyncIterable<Buffer>
  signal: AbortSignal
  messageOf: (line: Buffer) => PartitionedMessage
  onWritten: (lines: readonly Buffer[], partitions: readonly number[]) => void
}

async function sendLines(producer: Producer, topic: string, sending: Sending): Promise<void> {
  const { messageOf, onWritten } = sending
  const running = new Set<Promise<void>>()
  let failure: unknown = null
  for await (const found of uninterrupted(lines(sending.input), sending.signal)) {
    const send = producer
      .send({ topic, messages: found.map(messageOf) })
      .then((results) =>
        onWritten(
          found,
          results.map(({ partition }) => partition),
        ),
      )
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => running.delete(send))
    running.add(send)
    if (running.size >= sendsMax) await Promise.race(running)
    if (failure !== null) break
  }
  await Promise.all(running)
  if (failure !== null) throw failure
}

/** Ends where the stream was destroyed because of the signal. */
async function* uninterrupted<T>(values: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  try {
    yield* values
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** What was acknowledged so far. */
class Written {
  records = 0
  bytes = 0
  private readonly partitions = new Set<number>()
  private readonly startMs = performance.now()

  add(lines: readonly Buffer[], partitions: readonly number[]): void {
    for (const partition of partitions) this.partitions.add(partition)
    this.records += lines.length
    for (const line of lines) this.bytes += line.length
  }

  report(topic: string, options: TargetOptions): void {
    const { records, bytes } = this
    const seconds = (performance.now() - this.startMs) / 1000
    say(`${plural(records, 'record')}, ${bytesText(bytes)} to ${topic} in ${seconds.toFixed(2)} s`)
    const partitions = [...this.partitions].sort((a, b) => a - b)
    if (options.json) printJson({ topic, records, bytes, seconds, partitions })
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
