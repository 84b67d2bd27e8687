import { parseState } from '../broker/topic-store-file.js'
import { SeglogError } from '../errors/seglog-error.js'
import { codeOf } from '../log/error-code.js'
import { metaPropertiesFile } from '../log/meta-properties.js'
import { checkpointFiles, OffsetCheckpoint } from '../log/offset-checkpoint.js'
import { parsePartitionFolder, partitionFolderName } from '../log/partition-folder.js'
import { readTopicId } from '../log/partition-metadata.js'
import type { Directory } from '../native/engine.js'
import { openEngine } from '../native/open-engine.js'
import { uuidToHex } from '../protocol/uuid.js'
import { type Fault, PartitionCheck, type PartitionState } from './partition-check.js'

export interface VerifyReport {
  faults: Fault[]
  partitions: number
  segments: number
  batches: number
  bytes: number
  /** How the last writer left the directory. */
  leftBehind: 'new' | 'clean' | 'killed' | 'scan'
  /** After a power loss: records wait in `.journal` for the next open that may write; nothing here counts them. */
  journalWaits: boolean
}

export interface VerifyOptions {
  /** Bytes read since the last call. */
  onProgress?: (bytes: number) => void
}

/**
 * Reads everything in a data directory and lists what is wrong: batches and their CRCs, offsets within and between
 * segments, indexes against batches, leader epochs, producer snapshots, checkpoints. Writes nothing; another process may
 * be writing, then what it had published when this began is checked. FILE_NOT_FOUND for a folder that is no data directory.
 */
export async function verifyDirectory(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const engine = openEngine()
  const directory = await engine.openDirectory(path, { readOnly: true })
  try {
    const report: VerifyReport = {
      faults: [],
      partitions: 0,
      segments: 0,
      batches: 0,
      bytes: 0,
      leftBehind: directory.leftBehind,
      journalWaits: directory.journalWaits,
    }
    const names = new Set(await directory.list('.'))
    if (!names.has(metaPropertiesFile) && ![...names].some((name) => parsePartitionFolder(name) !== null)) {
      const hint = 'name the folder that holds those of the partitions'
      throw new SeglogError('FILE_NOT_FOUND', `${directory.path} is no data directory; ${hint}`, { path })
    }
    const marks = await readMarks(directory, report.faults)
    report.faults.push(...missingFolders(marks, names))
    for (const name of [...names].sort()) {
      const found = parsePartitionFolder(name)
      if (found === null) continue
      const state = await stateOf(directory, name, found, marks, report.faults)
      const partition = await new PartitionCheck(engine, directory, state, options.onProgress ?? (() => {})).run()
      report.partitions++
      report.segments += partition.segments
      report.batches += partition.batches
      report.bytes += partition.bytes
      report.faults.push(...partition.faults)
    }
    return report
  } finally {
    await directory.close(false)
  }
}

/** Partitions that reached the disk once and have no folder now. */
function missingFolders({ recoveryPoint, topics }: Marks, names: ReadonlySet<string>): Fault[] {
  return recoveryPoint.entries
    .filter(({ topic, partition, offset }) => {
      return offset > 0 && topics.has(topic) && !names.has(partitionFolderName(topic, partition))
    })
    .map(({ topic, partition, offset }) => ({
      topic,
      partition,
      path: partitionFolderName(topic, partition),
      offset: 0,
      what: `this folder is missing, offset ${offset} was reached in it`,
      repair: 'truncate',
    }))
}

/** What the directory's own files say about its partitions. */
interface Marks {
  recoveryPoint: OffsetCheckpoint
  logStart: OffsetCheckpoint
  topics: ReadonlySet<string>
  /** Topics whose records may be compacted away. */
  compacted: ReadonlySet<string>
}

async function readMarks(directory: Directory, faults: Fault[]): Promise<Marks> {
  const read = async <T>(name: string, parse: (bytes: Buffer) => T, otherwise: T): Promise<T> => {
    try {
      return parse(await directory.readFile(name))
    } catch (error) {
      if (codeOf(error) === 'FILE_NOT_FOUND') return otherwise
      const what = error instanceof Error ? error.message : String(error)
      const repair = name === topicsFile ? null : 'rewrite checkpoint'
      faults.push({ topic: '', partition: -1, path: name, what, repair })
      return otherwise
    }
  }
  const checkpoint = (name: string) =>
    read(name, (bytes) => OffsetCheckpoint.parse(bytes, name), new OffsetCheckpoint())
  const topics = await read(topicsFile, (bytes) => [...parseState(bytes, topicsFile).topics.values()], [])
  const compacted = topics.filter(({ configs }) => configs['cleanup.policy']?.includes('compact'))
  return {
    recoveryPoint: await checkpoint(checkpointFiles.recoveryPoint),
    logStart: await checkpoint(checkpointFiles.logStart),
    topics: new Set(topics.map(({ name }) => name)),
    compacted: new Set(compacted.map(({ name }) => name)),
  }
}

const topicsFile = 'seglog.json'

async function stateOf(
  directory: Directory,
  folder: string,
  { topic, partition }: { topic: string; partition: number },
  marks: Marks,
  faults: Fault[],
): Promise<PartitionState> {
  const isClean = directory.leftBehind === 'clean'
  const topicId = await readTopicId(directory, folder).catch((error: unknown) => {
    const what = error instanceof Error ? error.message : String(error)
    faults.push({ topic, partition, path: `${folder}/partition.metadata`, what, repair: null })
    return null
  })
  const hex = topicId === null ? null : uuidToHex(topicId)
  const known = directory.journalWaits ? [] : directory.ends
  const noted = known.find((one) => one.topicId === hex && one.partition === partition) ?? null
  // After a clean stop `.ends` says nothing; after a power loss only its durable end does.
  const durableEnd = isClean || noted === null || noted.durablePosition === 0 ? 0 : noted.durableOffset
  const isBelieved = directory.leftBehind === 'killed' || directory.live
  return {
    topic,
    partition,
    folder,
    isClean,
    ends: isBelieved ? noted : null,
    durableOffset: Math.max(durableEnd, marks.recoveryPoint.get(topic, partition) ?? 0),
    logStartOffset: marks.logStart.get(topic, partition) ?? 0,
    isCompacted: marks.compacted.has(topic),
  }
}
