import { codeOf } from '../log/error-code.js'
import { LeaderEpochs } from '../log/leader-epochs.js'
import { defaultLogConfig } from '../log/log-config.js'
import { LogDirectory } from '../log/log-directory.js'
import { checkpointFiles, OffsetCheckpoint } from '../log/offset-checkpoint.js'
import { partitionFolderName } from '../log/partition-folder.js'
import { readTopicId } from '../log/partition-metadata.js'
import { leaderEpochFile, parseFileName, segmentFileName, segmentSuffixes, sortFolder } from '../log/segment-files.js'
import type { Directory, Engine } from '../native/engine.js'
import { openEngine } from '../native/open-engine.js'
import { uuidToHex } from '../protocol/uuid.js'
import type { Fault } from './partition-check.js'

/** One thing that was done. */
export interface Repair {
  topic: string
  partition: number
  what: string
}

/**
 * Mends what `verifyDirectory` found and can be mended: cuts each log at its first damaged batch (everything behind it
 * goes, later segments too), makes indexes anew, lowers checkpoints to what is there, and raises the leader epoch of
 * what was cut, so that readers see that records are gone. Takes the directory's lock; ends with a clean stop.
 */
export async function repairDirectory(path: string, faults: readonly Fault[]): Promise<Repair[]> {
  const engine = openEngine()
  const directory = await engine.openDirectory(path, { create: false })
  const repairs: Repair[] = []
  try {
    const places = new Map(
      faults.filter(({ repair }) => repair !== null).map((one) => [`${one.topic} ${one.partition}`, one]),
    )
    for (const { topic, partition } of places.values()) {
      const own = faults.filter((one) => one.topic === topic && one.partition === partition)
      if (topic === '') await removeDamaged(directory, own, repairs)
      else repairs.push(...(await new PartitionRepair(engine, directory, topic, partition, own).run()))
    }
  } finally {
    await directory.close(false)
  }
  await startAndStop(path)
  return repairs
}

/** The ordinary start brings everything into order, the journal first; the ordinary stop leaves it exact. */
export async function startAndStop(path: string): Promise<void> {
  const logs = await LogDirectory.open(openEngine(), path, { create: false })
  await logs.settled
  await logs.close()
}

/** A checkpoint that cannot be read is worth less than none. */
async function removeDamaged(directory: Directory, faults: readonly Fault[], repairs: Repair[]): Promise<void> {
  for (const { path, repair } of faults) {
    if (repair !== 'rewrite checkpoint') continue
    await directory.remove(path)
    repairs.push({ topic: '', partition: -1, what: `removed ${path}` })
  }
}

class PartitionRepair {
  private readonly folder: string
  private readonly repairs: Repair[] = []

  constructor(
    private readonly engine: Engine,
    private readonly directory: Directory,
    private readonly topic: string,
    private readonly partition: number,
    private readonly faults: readonly Fault[],
  ) {
    this.folder = partitionFolderName(topic, partition)
  }

  async run(): Promise<Repair[]> {
    await this.directory.makeDirectory(this.folder)
    const cut = this.faults.find(({ repair, position }) => repair === 'truncate' && position !== undefined)
    const isShort = this.faults.some(({ repair }) => repair === 'truncate')
    if (cut !== undefined) await this.cut(cut)
    await this.rebuildIndexes()
    await this.removeSnapshots()
    const endOffset = await this.endOffset()
    await this.writeEpochs(endOffset, isShort)
    await this.lowerMarks(endOffset)
    return this.repairs
  }

  private async cut({ path, position, offset }: Fault): Promise<void> {
    const baseOffset = parseFileName(path.slice(this.folder.length + 1))!.baseOffset
    await this.scan(baseOffset, { truncate: true, rebuildIndexes: true })
    this.done(`cut ${path} at byte ${position}: offset ${offset} and what followed in it are gone`)
    const { segments } = sortFolder(await this.directory.list(this.folder))
    for (const later of segments.filter((base) => base > baseOffset).reverse()) {
      for (const suffix of segmentSuffixes) await this.removeIfThere(segmentFileName(later, suffix))
      this.done(`removed segment ${segmentFileName(later, '.log')}, which followed`)
    }
  }

  private async rebuildIndexes(): Promise<void> {
    const bad = this.faults.filter(({ repair }) => repair === 'rebuild index')
    const contents = sortFolder(await this.directory.list(this.folder))
    for (const orphan of contents.orphans) await this.removeIfThere(orphan)
    const bases = new Set(bad.map(({ path }) => parseFileName(path.slice(this.folder.length + 1))!.baseOffset))
    for (const baseOffset of bases) {
      if (!contents.segments.includes(baseOffset)) continue
      await this.scan(baseOffset, { rebuildIndexes: true })
      this.done(`rebuilt the indexes of ${segmentFileName(baseOffset, '.log')}`)
    }
  }

  private async removeSnapshots(): Promise<void> {
    for (const { path, repair } of this.faults) {
      if (repair !== 'rewrite checkpoint' || !path.endsWith('.snapshot')) continue
      await this.removeIfThere(path.slice(this.folder.length + 1))
      this.done(`removed ${path}; producer state is read from the log instead`)
    }
  }

  private async endOffset(): Promise<number> {
    const { segments } = sortFolder(await this.directory.list(this.folder))
    const last = segments.at(-1)
    return last === undefined ? 0 : (await this.scan(last, {})).endOffset
  }

  /** The epochs that the batches carry; a new one begins where records were lost. */
  private async writeEpochs(endOffset: number, isShort: boolean): Promise<void> {
    if (!isShort && !this.faults.some(({ path }) => path.endsWith(leaderEpochFile))) return
    const { segments } = sortFolder(await this.directory.list(this.folder))
    const epochs = new LeaderEpochs()
    const highest = Math.max(await this.notedEpoch(), 0)
    for (const base of segments) {
      for (const { epoch, startOffset } of (await this.scan(base, {})).epochs) epochs.assign(epoch, startOffset)
    }
    if (isShort) epochs.assign(Math.max(highest, epochs.latest) + 1, endOffset)
    await this.directory.replaceFile(`${this.folder}/${leaderEpochFile}`, epochs.serialize())
    this.done(`wrote ${this.folder}/${leaderEpochFile} anew`)
  }

  private async notedEpoch(): Promise<number> {
    const path = `${this.folder}/${leaderEpochFile}`
    try {
      return LeaderEpochs.parse(await this.directory.readFile(path), path).latest
    } catch {
      return -1
    }
  }

  /** What is gone must not be waited for at the next start. */
  private async lowerMarks(endOffset: number): Promise<void> {
    const topicId = await readTopicId(this.directory, this.folder).catch(() => null)
    if (topicId !== null) this.directory.slot(uuidToHex(topicId), this.partition).free()
    const name = checkpointFiles.recoveryPoint
    const names = await this.directory.list('.')
    if (!names.includes(name)) return
    const points = OffsetCheckpoint.parse(await this.directory.readFile(name), name)
    const point = points.get(this.topic, this.partition) ?? 0
    if (point <= endOffset) return
    points.set(this.topic, this.partition, endOffset)
    await this.directory.replaceFile(name, points.serialize())
    this.done(`lowered the recovery point from ${point} to ${endOffset}`)
  }

  private scan(baseOffset: number, how: { truncate?: boolean; rebuildIndexes?: boolean }) {
    const { indexBytes, indexIntervalBytes } = defaultLogConfig
    return this.engine.scanSegment(this.directory, {
      folder: this.folder,
      baseOffset,
      indexBytes,
      indexIntervalBytes,
      walkRecords: true,
      ...how,
    })
  }

  private async removeIfThere(name: string): Promise<void> {
    try {
      await this.directory.remove(`${this.folder}/${name}`)
    } catch (error) {
      if (codeOf(error) !== 'FILE_NOT_FOUND') throw error
    }
  }

  private done(what: string): void {
    this.repairs.push({ topic: this.topic, partition: this.partition, what })
  }
}
