import { type FileHandle, open as openFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { SeglogError } from '../errors/seglog-error.js'
import { parseProducerSnapshot } from '../log/producer-snapshot.js'
import { openEngine } from '../native/open-engine.js'
import { batchLengthEnd, batchOverheadBytes, headerAt } from '../records/batch-header.js'
import { codecName } from '../records/codecs/codec-name.js'
import { RecordBatch } from '../records/record-batch.js'
import { toJson, writeOut } from './terminal.js'

export interface DumpOptions {
  records?: boolean
  /** Batches or entries to print at most. */
  count?: number
  json: boolean
}

const indexEntryBytes = 8
const timeIndexEntryBytes = 12

/** Prints one file of a partition, from its first byte on. Rejects with CORRUPT_BATCH where a batch cannot be read. */
export async function dumpFile(path: string, options: DumpOptions): Promise<void> {
  const dump = dumps[/\.[a-z]+$/.exec(path)?.[0] ?? '']
  if (dump === undefined) {
    throw new SeglogError('INVALID_OPTION', `${path} is none of ${Object.keys(dumps).join(', ')}`, { path })
  }
  const file = await openFile(path)
  try {
    const most = options.count ?? Number.POSITIVE_INFINITY
    let printed = 0
    for await (const lines of dump(file, path, options)) {
      if (printed++ >= most) break
      await writeOut(lines.map((line) => `${options.json ? toJson(line) : textOf(line)}\n`).join(''))
    }
  } finally {
    await file.close()
  }
}

type Line = Record<string, unknown>
type Dump = (file: FileHandle, path: string, options: DumpOptions) => AsyncGenerator<Line[], void>

const dumps: Readonly<Record<string, Dump>> = {
  '.log': dumpSegment,
  '.index': (file, path) => dumpEntries(file, path, indexEntryBytes, indexEntry),
  '.timeindex': (file, path) => dumpEntries(file, path, timeIndexEntryBytes, timeIndexEntry),
  '.snapshot': dumpSnapshot,
}

function textOf(line: Line): string {
  return Object.entries(line)
    .map(([name, value]) => `${name}: ${typeof value === 'object' && value !== null ? toJson(value) : String(value)}`)
    .join('  ')
}

async function* dumpSegment(file: FileHandle, path: string, { records }: DumpOptions): AsyncGenerator<Line[], void> {
  const { crc32c } = crcOf()
  const { size } = await file.stat()
  const header = Buffer.alloc(batchOverheadBytes)
  for (let position = 0; position < size; ) {
    await file.read(header, 0, header.length, position)
    const sizeBytes = header.readInt32BE(headerAt.batchLength) + batchLengthEnd
    if (position + batchOverheadBytes > size || sizeBytes < batchOverheadBytes || position + sizeBytes > size) {
      if (header.every((byte) => byte === 0)) return yield [{ position, reserved: size - position }]
      const what = `${path}: at byte ${position} is no whole batch; \`seglog log verify\` says more`
      throw new SeglogError('CORRUPT_BATCH', what, { path, position })
    }
    const bytes = Buffer.alloc(sizeBytes)
    await file.read(bytes, 0, sizeBytes, position)
    const batch = new RecordBatch(bytes)
    const lines = [batchLine(position, batch, batch.crcMatches(crc32c))]
    if (records === true) for (const record of await batch.inflate()) lines.push(recordLine(record))
    yield lines
    position += sizeBytes
  }
}

function crcOf() {
  const engine = openEngine()
  return { crc32c: (bytes: Uint8Array) => engine.crc32c(bytes) }
}

function batchLine(position: number, { header }: RecordBatch, isCrcValid: boolean): Line {
  return {
    position,
    baseOffset: header.baseOffset,
    lastOffset: header.lastOffset,
    count: header.recordCount,
    size: header.sizeBytes,
    leaderEpoch: header.leaderEpoch,
    codec: codecName(header.codec),
    timestampType: header.isAppendTime ? 'append' : 'create',
    maxTimestamp: header.maxTimestamp,
    crc: header.crc,
    isCrcValid,
    ...(header.producerId < 0
      ? {}
      : { producerId: header.producerId, producerEpoch: header.producerEpoch, baseSequence: header.baseSequence }),
    ...(header.isTransactional ? { isTransactional: true } : {}),
    ...(header.isControl ? { isControl: true } : {}),
  }
}

type BatchRecord = RecordBatch extends Iterable<infer R> ? R : never

function recordLine(record: BatchRecord): Line {
  const { offset, timestamp, key, value, headerList } = record
  const headers = headerList.map(([name, bytes]) => [name, bytes?.toString() ?? null])
  return {
    offset,
    timestamp,
    key: key?.toString() ?? null,
    value: value?.toString() ?? null,
    ...(headers.length === 0 ? {} : { headers }),
  }
}

async function* dumpEntries(
  file: FileHandle,
  path: string,
  entryBytes: number,
  entry: (bytes: Buffer, baseOffset: number) => Line,
): AsyncGenerator<Line[], void> {
  const bytes = await file.readFile()
  const baseOffset = Number(basename(path).slice(0, 20))
  if (!Number.isSafeInteger(baseOffset)) {
    throw new SeglogError('INVALID_OPTION', `${path} is not named by a base offset, so its offsets mean nothing`, {
      path,
    })
  }
  for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
    yield [entry(bytes.subarray(at, at + entryBytes), baseOffset)]
  }
  const rest = bytes.length % entryBytes
  if (rest !== 0)
    throw new SeglogError('CORRUPT_LOG', `${path} ends in ${rest} stray bytes; \`seglog log verify\` says more`, {
      path,
    })
}

function indexEntry(bytes: Buffer, baseOffset: number): Line {
  return { offset: baseOffset + bytes.readInt32BE(0), position: bytes.readInt32BE(4) }
}

function timeIndexEntry(bytes: Buffer, baseOffset: number): Line {
  return { timestamp: bytes.readBigInt64BE(0), offset: baseOffset + bytes.readInt32BE(8) }
}

async function* dumpSnapshot(file: FileHandle, path: string): AsyncGenerator<Line[], void> {
  for (const entry of parseProducerSnapshot(await file.readFile(), crcOf().crc32c, path)) yield [{ ...entry }]
}
