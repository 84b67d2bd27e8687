import { SeglogError } from '../errors/seglog-error.js'
import type { Appended, RecordRules } from '../native/engine.js'
import type { BatchSummary } from './batch-summary.js'
import { codeOf } from './error-code.js'
import type { AppendInfo } from './log-types.js'

/** An append that could not be done at once. */
export interface QueuedAppend {
  readonly buffers: readonly Uint8Array[]
  readonly summary: BatchSummary
  readonly crc: 'compute' | 'verify'
  readonly records: RecordRules | null
  readonly appendTime: number
  readonly leaderEpoch: number
  readonly keepOffsets: boolean
}

interface AppendJob {
  readonly append: QueuedAppend
  readonly resolve: (info: AppendInfo) => void
  readonly reject: (error: unknown) => void
}

/** What the queue works on; the log. */
export interface AppendTarget {
  /** Batches of producers: their state must be loaded before `admit`. */
  prepare(append: QueuedAppend): Promise<void> | null
  /** A retry's answer, or null if it is to be appended. Throws what the append is refused with. */
  admit(append: QueuedAppend): AppendInfo | null
  rollDue(bytes: BatchSummary): boolean
  /** Begins a segment for what comes next; where the batches keep their offsets, at the first of them. */
  roll(next: BatchSummary): Promise<void>
  /** Room left in the active segment. */
  room(): number
  submit(buffers: readonly Uint8Array[], append: QueuedAppend): Promise<Appended>
  /** The segment grew; called once per submit, then `accepted` for each append in it. */
  grown(appended: Appended): void
  accepted(append: QueuedAppend, baseOffset: number): AppendInfo
  /** All of a submission is accepted: readers may be woken. */
  visible(): void
}

/** One submission carries at most this many bytes: the next ones gather behind it meanwhile. */
const groupBytes = 4 * 1024 * 1024

/** Codes that speak of one batch, not of the segment or the disk: the others of its group may still be good. */
const batchFaults = new Set(['CORRUPT_BATCH', 'INVALID_BATCH', 'BATCH_TOO_LARGE', 'INVALID_ARGUMENT'])

/**
 * Everything that happens to one log on storage threads, in order: appends that the mapped lane did not take, and work
 * that must have the log for itself (roll, truncation). One submission is under way at a time; appends that arrive
 * meanwhile go together in the next one, so that order needs no bookkeeping and a slow disk makes groups larger.
 */
export class AppendQueue {
  readonly #target: AppendTarget
  readonly #jobs: (AppendJob | (() => Promise<void>))[] = []
  #running = false
  /** Something is under way. Ends before its caller is answered: the answer may lead to the next append at once. */
  #busy = false

  constructor(target: AppendTarget) {
    this.#target = target
  }

  /** True if nothing is queued or under way: the mapped lane may be tried. */
  get idle(): boolean {
    return !this.#busy && this.#jobs.length === 0
  }

  append(append: QueuedAppend): Promise<AppendInfo> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ append, resolve, reject })
      this.#start()
    })
  }

  /** Runs `work` after everything queued before and ahead of everything after. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#jobs.push(() =>
        work().then(
          (result) => this.#settle(() => resolve(result)),
          (error: unknown) => this.#settle(() => reject(error)),
        ),
      )
      this.#start()
    })
  }

  #start(): void {
    if (this.#running) return
    this.#running = true
    void this.#run()
  }

  async #run(): Promise<void> {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      this.#busy = true
      if (typeof job === 'function') await job()
      else await this.#appendGroup(job)
    }
    this.#running = false
  }

  /** Answers callers; `last`: of what is under way. */
  #settle(answer: () => void, last = true): void {
    if (last) this.#busy = false
    answer()
  }

  async #appendGroup(first: AppendJob): Promise<void> {
    const group: AppendJob[] = []
    try {
      await this.#target.prepare(first.append)
      const known = this.#target.admit(first.append)
      if (known !== null) return this.#settle(() => first.resolve(known))
      if (this.#target.rollDue(first.append.summary)) await this.#target.roll(first.append.summary)
      group.push(first)
      this.#gather(group)
      await this.#submit(group)
    } catch (error) {
      if (group.length <= 1) return this.#settle(() => first.reject(error))
      if (batchFaults.has(codeOf(error) ?? '')) return this.#submitEach(group)
      this.#settle(() => {
        for (const job of group) job.reject(error)
      })
    }
  }

  /** One of them is at fault: each alone tells which. Nobody may come between them. */
  async #submitEach(group: readonly AppendJob[]): Promise<void> {
    for (const job of group) {
      const last = job === group.at(-1)
      await this.#submit([job], last).catch((error: unknown) => this.#settle(() => job.reject(error), last))
    }
  }

  /** Adds queued appends of the same kind that fit. Those with producers go alone: their check needs what came before. */
  #gather(group: AppendJob[]): void {
    const { append: like } = group[0]
    if (like.summary.producers !== null || like.keepOffsets) return
    let bytes = like.summary.sizeBytes
    const limit = Math.min(groupBytes, this.#target.room())
    for (let job = this.#jobs[0]; job !== undefined && typeof job !== 'function'; job = this.#jobs[0]) {
      const { summary, crc, records, appendTime, leaderEpoch, keepOffsets } = job.append
      const same = crc === like.crc && appendTime === like.appendTime && leaderEpoch === like.leaderEpoch
      // The bounds of time move with the clock; those of the first hold for a group that was given at about the same time.
      const alike = same && records?.keyed === like.records?.keyed
      if (!alike || keepOffsets || summary.producers !== null || bytes + summary.sizeBytes > limit) return
      if (this.#target.rollDue(summary)) return
      bytes += summary.sizeBytes
      group.push(job)
      this.#jobs.shift()
    }
  }

  async #submit(group: readonly AppendJob[], last = true): Promise<void> {
    const buffers = group.length === 1 ? group[0].append.buffers : group.flatMap((job) => job.append.buffers)
    let appended: Appended
    try {
      appended = await this.#target.submit(buffers, group[0].append)
    } catch (error) {
      if (codeOf(error) !== 'SEGMENT_FULL') throw error
      await this.#target.roll(group[0].append.summary)
      appended = await this.#target.submit(buffers, group[0].append).catch((again: unknown) => {
        throw codeOf(again) === 'SEGMENT_FULL' ? tooLarge(group[0].append) : again
      })
    }
    this.#target.grown(appended)
    let baseOffset = appended.baseOffset
    const infos = group.map(({ append }) => {
      const info = this.#target.accepted(append, baseOffset)
      baseOffset += append.summary.offsetCount
      return info
    })
    this.#target.visible()
    this.#settle(() => {
      for (const [i, job] of group.entries()) job.resolve(infos[i])
    }, last)
  }
}

function tooLarge(append: QueuedAppend): SeglogError {
  return new SeglogError(
    'BATCH_TOO_LARGE',
    `${append.summary.sizeBytes} bytes do not fit an empty segment; send smaller batches or raise segment.bytes`,
  )
}
