import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Log } from '../../ts/log/log.js'
import { defaultLogConfig, type LogConfig } from '../../ts/log/log-config.js'
import { LogDirectory, type LogDirectoryOptions } from '../../ts/log/log-directory.js'
import type { AppendInfo } from '../../ts/log/log-types.js'
import { openEngine } from '../../ts/native/open-engine.js'
import { RecordBatchReader } from '../../ts/records/record-batch-reader.js'

export const engine = openEngine()
export const topicId = 'bzLFT1pzRRuTwgGJSCc8Ng'

/** Small enough that a few batches fill a segment. */
export const smallConfig: LogConfig = { ...defaultLogConfig, segmentBytes: 4096, indexIntervalBytes: 256 }

const folders: string[] = []
const directories: LogDirectory[] = []

afterEach(async () => {
  engine.injectFaults(null)
  for (const directory of directories.splice(0)) {
    await directory.close().catch(() => {})
    await directory.files.close(false).catch(() => {})
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'seglog-log-'))
  folders.push(folder)
  return folder
}

export async function openDirectory(path = freshFolder(), options: LogDirectoryOptions = {}): Promise<LogDirectory> {
  const directory = await LogDirectory.open(engine, path, options)
  directories.push(directory)
  return directory
}

export function openLog(directory: LogDirectory, config: LogConfig = smallConfig, partition = 0): Promise<Log> {
  return directory.openLog({ topic: 't', partition, topicId, config })
}

/** Leaves the directory as the death of its process would. */
export async function kill(directory: LogDirectory): Promise<void> {
  await directory.files.close(false)
}

/** A copy of a directory as it is now: another inode, so its `.ends` is not believed. */
export function copyOf(path: string, keepEnds = true): string {
  const copy = freshFolder()
  // Files of the moment (`*.tmp`) may go while they are listed.
  for (let tries = 0; ; tries++) {
    try {
      cpSync(path, copy, { recursive: true })
      break
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT' || tries === 20) throw error
    }
  }
  const ends = join(copy, '.ends')
  if (!keepEnds) writeFileSync(ends, Buffer.alloc(readFileSync(ends).length))
  return copy
}

export async function append(log: Log, batch: Uint8Array): Promise<AppendInfo> {
  return log.append(batch, { crc: 'compute' })
}

export interface ReadRecord {
  offset: number
  timestamp: number
  value: string
  epoch: number
}

/** Every record from `offset` on, read in steps of maxBytes; checks each batch's CRC and that offsets only grow. */
export async function readAll(log: Log, offset = log.logStartOffset, maxBytes = 1000): Promise<ReadRecord[]> {
  const records: ReadRecord[] = []
  let next = offset
  while (next < log.logEndOffset) {
    const { batches, nextOffset } = await log.read(next, maxBytes)
    if (batches.length === 0) throw new Error(`nothing at ${next} although the log ends at ${log.logEndOffset}`)
    for (const batch of new RecordBatchReader(batches)) {
      if (!batch.crcMatches((bytes) => engine.crc32c(bytes)))
        throw new Error(`wrong CRC in the batch at ${batch.header.baseOffset}`)
      const cursor = batch.cursor()
      while (cursor.next()) {
        const at = batch.header.baseOffset + cursor.offsetDelta
        if (at < next) continue
        records.push({
          offset: at,
          timestamp: batch.header.baseTimestamp + cursor.timestampDelta,
          value: cursor.bytes.toString('latin1', cursor.valueStart, cursor.valueStart + cursor.valueLength),
          epoch: batch.header.leaderEpoch,
        })
      }
    }
    next = nextOffset
  }
  return records
}

export const offsetsOf = (records: readonly ReadRecord[]): number[] => records.map((record) => record.offset)
export const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i)

/** The partition's files with this suffix, sorted. */
export function filesOf(path: string, suffix: string, partition = 0): string[] {
  return readdirSync(join(path, `t-${partition}`))
    .filter((name) => name.endsWith(suffix))
    .sort()
}

/** Changes one byte of a file. */
export function flipByte(path: string, position: number): void {
  const bytes = readFileSync(path)
  bytes[position] ^= 0x40
  writeFileSync(path, bytes)
}
