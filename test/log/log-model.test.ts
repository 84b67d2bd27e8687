import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Log } from '../../ts/log/log.js'
import type { LogDirectory } from '../../ts/log/log-directory.js'
import { batch } from '../native/batches.js'
import { append, freshFolder, kill, openDirectory, openLog, readAll, smallConfig } from './workspace.js'

type Operation =
  | { kind: 'append'; batches: readonly { records: number; valueBytes: number }[] }
  | { kind: 'truncate' | 'deleteBefore'; part: number }
  | { kind: 'flush' | 'roll' | 'restart' | 'kill' }

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      batches: fc.array(fc.record({ records: fc.integer({ min: 1, max: 5 }), valueBytes: fc.nat(300) }), {
        minLength: 1,
        maxLength: 8,
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('truncate' as const, 'deleteBefore' as const),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('flush' as const, 'roll' as const, 'restart' as const, 'kill' as const),
    }),
  },
)

interface ModelBatch {
  baseOffset: number
  records: number
  timestamp: number
  epoch: number
}

/** A log over the engine beside an array; a kill on the same boot must change nothing that anyone can see. */
class Pair {
  #directory!: LogDirectory
  #log!: Log
  #batches: ModelBatch[] = []
  #start = 0
  #timestamp = 1_000_000
  readonly #path = freshFolder()

  async open(): Promise<void> {
    this.#directory = await openDirectory(this.#path)
    this.#log = await openLog(this.#directory, { ...smallConfig, segmentBytes: 2500 })
  }

  get #end(): number {
    const last = this.#batches.at(-1)
    return last === undefined ? this.#cutEnd : last.baseOffset + last.records
  }

  #cutEnd = 0

  async run(step: Operation): Promise<void> {
    if (step.kind === 'append') return this.#append(step.batches)
    if (step.kind === 'flush') {
      await this.#log.flush()
      expect(this.#log.durableOffset).toBe(this.#end)
    } else if (step.kind === 'roll') await this.#log.roll()
    else if (step.kind === 'truncate') await this.#truncate(step.part)
    else if (step.kind === 'deleteBefore') {
      this.#start += Math.floor((this.#end - this.#start) * step.part)
      await this.#log.deleteRecordsBefore(this.#start)
    } else {
      if (step.kind === 'restart') await this.#directory.close()
      else await kill(this.#directory)
      await this.open()
      await this.check()
    }
  }

  async check(): Promise<void> {
    expect([this.#log.logStartOffset, this.#log.logEndOffset]).toEqual([this.#start, this.#end])
    const expected = this.#batches.flatMap(({ baseOffset, records, timestamp, epoch }) =>
      Array.from({ length: records }, (_, i) => ({ offset: baseOffset + i, timestamp: timestamp + i, epoch })),
    )
    const seen = (await readAll(this.#log)).map(({ offset, timestamp, epoch }) => ({ offset, timestamp, epoch }))
    expect(seen).toEqual(expected.filter(({ offset }) => offset >= this.#start))
    for (const { offset, timestamp } of seen.filter((_, i) => i % 7 === 0)) {
      expect(await this.#log.offsetForTimestamp(timestamp)).toMatchObject({ offset, timestamp })
    }
  }

  async close(): Promise<void> {
    await this.#directory.close()
  }

  async #append(batches: readonly { records: number; valueBytes: number }[]): Promise<void> {
    const epoch = this.#log.leaderEpoch
    const infos = batches.map(({ records, valueBytes }) => {
      const timestamp = this.#timestamp
      this.#timestamp += records
      this.#batches.push({ baseOffset: this.#end, records, timestamp, epoch })
      return append(this.#log, batch({ records, valueBytes, timestamp }))
    })
    const added = this.#batches.slice(-batches.length)
    expect((await Promise.all(infos)).map((info) => info.baseOffset)).toEqual(added.map(({ baseOffset }) => baseOffset))
  }

  async #truncate(part: number): Promise<void> {
    const offset = this.#start + Math.floor((this.#end - this.#start) * part)
    const cut = this.#batches.find(({ baseOffset, records }) => baseOffset + records > offset)
    // Only whole batches go: a log start inside one must stay where it is.
    if (cut === undefined || cut.baseOffset < this.#start) return
    await this.#log.truncateTo(offset)
    this.#cutEnd = cut.baseOffset
    this.#batches = this.#batches.filter(({ baseOffset }) => baseOffset < cut.baseOffset)
  }
}

describe('a log against an array', () => {
  it('shows the same records whatever is done to it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 25 }), async (steps) => {
        const pair = new Pair()
        await pair.open()
        for (const step of steps) await pair.run(step)
        await pair.check()
        await pair.close()
      }),
      { numRuns: Number(process.env.SEGLOG_LOG_MODEL_RUNS ?? 15), endOnFailure: false },
    )
  }, 120_000)
})
