import { SeglogError } from '../errors/seglog-error.js'
import type { Directory, Engine, LeftBehind } from '../native/engine.js'
import { uuidToHex } from '../protocol/uuid.js'
import type { DirectoryCheckpoints } from './directory-checkpoints.js'
import { LeaderEpochs } from './leader-epochs.js'
import { Log } from './log.js'
import type { LogConfig } from './log-config.js'
import type { LogContext } from './log-context.js'
import { type LeftBehindLog, type RecoveredLog, recoverLog } from './log-recovery.js'
import { LogSegments, openActiveSegment } from './log-segments.js'
import type { Clock, Logger } from './logger.js'
import type { OpenSegments } from './open-segments.js'
import { partitionFolderName } from './partition-folder.js'
import {
  inconsistentTopicId,
  partitionMetadataFile,
  readTopicId,
  serializePartitionMetadata,
} from './partition-metadata.js'
import { ProducerTracker } from './producer-tracker.js'
import { leaderEpochFile } from './segment-files.js'

export interface OpenLogOptions {
  topic: string
  partition: number
  /** 22 base64url characters. */
  topicId: string
  config: LogConfig
  /** The partition's leader epoch as the broker knows it; the log's is the larger of this and its own. */
  leaderEpoch?: number
}

/** What a directory lends to each of its logs. */
export interface LogSurroundings {
  readonly engine: Engine
  readonly directory: Directory
  readonly checkpoints: DirectoryCheckpoints
  readonly openSegments: OpenSegments
  readonly logger: Logger
  readonly clock: Clock
  readonly random: () => number
}

/** Turns a partition's folder, or the lack of one, into an open log. */
export class LogOpener {
  readonly #surroundings: LogSurroundings

  constructor(surroundings: LogSurroundings) {
    this.#surroundings = surroundings
  }

  async open(options: OpenLogOptions, state: { exists: boolean; leftBehind: LeftBehind }): Promise<Log> {
    const { checkpoints, directory } = this.#surroundings
    const { topic, partition, topicId } = options
    const folder = partitionFolderName(topic, partition)
    const left = this.#leftBehind(options, state.leftBehind)
    if (state.exists) await this.#checkTopicId(folder, topicId)
    else if (left.recoveryPoint > 0) throw missingFolder(options, folder, left.recoveryPoint)
    else if (directory.readOnly) {
      throw new SeglogError('FILE_NOT_FOUND', `there is no folder ${folder} in ${directory.path}`, { topic, partition })
    }
    const slot = directory.readOnly ? null : directory.slot(uuidToHex(topicId), partition)
    const { openSegments, engine, logger, clock, random } = this.#surroundings
    const context: LogContext = {
      ...{ engine, directory, topic, partition, folder, slot, openSegments, logger, clock, random },
      readOnly: directory.readOnly,
      config: options.config,
    }
    const recovered = state.exists ? await recoverLog(context, left) : await this.#create(context, topicId)
    const segments = new LogSegments(context, recovered.closed, recovered.active, recovered.end)
    const epochs = await this.#beginEpoch(context, recovered, options.leaderEpoch ?? 0)
    const { logStartOffset } = recovered
    const highWatermark = checkpoints.get('highWatermark', topic, partition) ?? left.ends?.highWatermark ?? 0
    const log = new Log({
      context,
      topicId,
      segments,
      producers: new ProducerTracker(context, segments, recovered.snapshots, !state.exists),
      epochs,
      logStartOffset,
      highWatermark: Math.max(logStartOffset, Math.min(highWatermark, segments.endOffset)),
      unclean: state.exists && state.leftBehind !== 'clean',
      marks: checkpoints,
    })
    if (!context.readOnly) {
      segments.flushClosedFrom(recovered.flushFrom)
      log.publishMarks()
    }
    return log
  }

  #leftBehind({ topic, partition, topicId }: OpenLogOptions, leftBehind: LeftBehind): LeftBehindLog {
    const { directory, checkpoints } = this.#surroundings
    const hex = uuidToHex(topicId)
    // What waits in the journal is not in the files: they are behind the ends, and right as far as they go.
    const known = directory.journalWaits ? [] : directory.ends
    const ends = known.find((each) => each.topicId === hex && each.partition === partition) ?? null
    const marks = {
      recoveryPoint: checkpoints.get('recoveryPoint', topic, partition) ?? 0,
      logStartOffset: checkpoints.get('logStart', topic, partition) ?? 0,
    }
    // Of a clean directory `.ends` says nothing any more: someone else may have written since.
    if (leftBehind === 'clean' || leftBehind === 'new') return { how: 'exact', ends: null, ...marks }
    if (leftBehind === 'scan') return { how: 'scan', ends, ...marks }
    return { how: ends === null ? 'untouched' : 'ends', ends, ...marks }
  }

  async #checkTopicId(folder: string, topicId: string): Promise<void> {
    const { directory } = this.#surroundings
    const found = await readTopicId(directory, folder)
    if (found === topicId) return
    if (found !== null) throw inconsistentTopicId(folder, found, topicId)
    if (!directory.readOnly) {
      await directory.replaceFile(`${folder}/${partitionMetadataFile}`, serializePartitionMetadata(topicId))
    }
  }

  async #create(context: LogContext, topicId: string): Promise<RecoveredLog> {
    const { directory, folder } = context
    await this.#surroundings.checkpoints.settleForgotten()
    await directory.makeDirectory(folder)
    await directory.replaceFile(`${folder}/${partitionMetadataFile}`, serializePartitionMetadata(topicId))
    const active = await openActiveSegment(context, 0, { create: true })
    return {
      closed: [],
      active,
      end: { position: 0, offset: 0 },
      epochs: new LeaderEpochs(),
      highestEpoch: -1,
      mayHaveLost: false,
      flushFrom: 0,
      snapshots: [],
      logStartOffset: 0,
    }
  }

  /** The epoch that appends are written under, noted durably before the first of them. */
  async #beginEpoch(context: LogContext, recovered: RecoveredLog, leaderEpoch: number): Promise<LeaderEpochs> {
    const { epochs, highestEpoch, mayHaveLost, end } = recovered
    const epoch = Math.max(leaderEpoch, mayHaveLost ? highestEpoch + 1 : highestEpoch)
    if (context.readOnly || !epochs.assign(epoch, end.offset)) return epochs
    await context.directory.replaceFile(`${context.folder}/${leaderEpochFile}`, epochs.serialize())
    return epochs
  }
}

function missingFolder({ topic, partition }: OpenLogOptions, folder: string, offset: number): SeglogError {
  return new SeglogError(
    'CORRUPT_LOG',
    `${folder} is missing, and offset ${offset} was reached in it; restore the folder, or run ` +
      '`seglog log verify --repair` to begin anew',
    { topic, partition, path: folder, offset: 0n },
  )
}
