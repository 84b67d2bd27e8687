import type { Directory } from '../native/engine.js'
import { codeOf } from './error-code.js'
import type { Log, LogMarks } from './log.js'
import type { Logger } from './logger.js'
import { checkpointFiles, OffsetCheckpoint } from './offset-checkpoint.js'

type Kind = 'recoveryPoint' | 'highWatermark' | 'logStart'
const kinds: readonly Kind[] = ['recoveryPoint', 'highWatermark', 'logStart']

/** The checkpoint files of a data directory. Partitions that are not open keep what the files said. */
export class DirectoryCheckpoints implements LogMarks {
  readonly #files: Directory
  readonly #checkpoints: Readonly<Record<Kind, OffsetCheckpoint>>
  #writing: Promise<void> = Promise.resolve()
  /** Deleted partitions are still in the files. */
  #forgotten = false

  private constructor(files: Directory, checkpoints: Readonly<Record<Kind, OffsetCheckpoint>>) {
    this.#files = files
    this.#checkpoints = checkpoints
  }

  /** A damaged file counts as empty, as in Kafka: the recovery that follows is longer, not wrong. */
  static async read(files: Directory, names: readonly string[], logger: Logger): Promise<DirectoryCheckpoints> {
    const read = async (kind: Kind): Promise<OffsetCheckpoint> => {
      const name = checkpointFiles[kind]
      if (!names.includes(name)) return new OffsetCheckpoint()
      try {
        return OffsetCheckpoint.parse(await files.readFile(name), name)
      } catch (error) {
        if (codeOf(error) !== 'CORRUPT_LOG') throw error
        logger.warn({ err: error }, 'a checkpoint file is unusable')
        return new OffsetCheckpoint()
      }
    }
    const [recoveryPoint, highWatermark, logStart] = await Promise.all(kinds.map(read))
    return new DirectoryCheckpoints(files, { recoveryPoint, highWatermark, logStart })
  }

  get(kind: Kind, topic: string, partition: number): number | undefined {
    return this.#checkpoints[kind].get(topic, partition)
  }

  /** Takes a log's present marks over; nothing is written yet. Returns the kinds that changed. */
  note(log: Log): Kind[] {
    const { topic, partition } = log
    const { recoveryPoint, highWatermark, logStart } = this.#checkpoints
    const changed: Kind[] = []
    if (recoveryPoint.set(topic, partition, log.flushedOffset)) changed.push('recoveryPoint')
    if (highWatermark.set(topic, partition, log.highWatermark)) changed.push('highWatermark')
    const first = log.segments[0].baseOffset
    const moved =
      log.logStartOffset > first
        ? logStart.set(topic, partition, log.logStartOffset)
        : logStart.delete(topic, partition)
    if (moved) changed.push('logStart')
    return changed
  }

  forget(topic: string, partition: number): void {
    for (const kind of kinds) if (this.#checkpoints[kind].delete(topic, partition)) this.#forgotten = true
  }

  /** Before a topic is made: marks of an earlier one of that name are not its own. Durable when it resolves. */
  async forgetTopic(topic: string): Promise<void> {
    for (const kind of kinds) if (this.#checkpoints[kind].deleteTopic(topic)) this.#forgotten = true
    await this.settleForgotten()
  }

  /** Before a partition is made: what the files say of a deleted one of that name must not be taken for its marks. */
  async settleForgotten(): Promise<void> {
    if (this.#forgotten) await this.#write(kinds)
  }

  async save(logs: readonly Log[] | Promise<readonly Log[]>): Promise<void> {
    for (const log of await logs) {
      this.note(log)
      log.publishMarks()
    }
    await this.#write(kinds)
  }

  async saveHighWatermarks(logs: Promise<readonly Log[]>): Promise<void> {
    let changed = false
    for (const { topic, partition, highWatermark } of await logs) {
      if (this.#checkpoints.highWatermark.set(topic, partition, highWatermark)) changed = true
    }
    if (changed) await this.#write(['highWatermark'])
  }

  /** The log start of one log is on disk when it resolves. */
  async saveLogStart(log: Log): Promise<void> {
    this.note(log)
    await this.#write(['logStart'])
  }

  async lowerRecoveryPoint({ topic, partition }: Log, offset: number): Promise<void> {
    const { recoveryPoint } = this.#checkpoints
    if ((recoveryPoint.get(topic, partition) ?? 0) <= offset) return
    recoveryPoint.set(topic, partition, offset)
    await this.#write(['recoveryPoint'])
  }

  #write(which: readonly Kind[]): Promise<void> {
    const writing = this.#writing
      .catch(() => {})
      .then(async () => {
        for (const kind of which) {
          await this.#files.replaceFile(checkpointFiles[kind], this.#checkpoints[kind].serialize())
        }
        if (which === kinds) this.#forgotten = false
      })
    this.#writing = writing
    return writing
  }
}
