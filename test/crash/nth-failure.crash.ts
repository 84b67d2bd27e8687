import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { open, type SeglogLog } from '../../ts/index.js'
import type { FaultPlan } from '../../ts/native/engine.js'
import { openEngine } from '../../ts/native/open-engine.js'
import { brokenPromises, type Promised } from './acks.js'

const engine = openEngine()

/** A scripted life: creates, writes through both lanes, rolls, reads, closes. Collects what was promised. */
async function workload(data: string, life: number, promised: Promised[]): Promise<void> {
  let log: SeglogLog | null = null
  try {
    log = await open(data)
    const admin = log.admin()
    const topic = `t${life}`
    await admin.createTopic({ topic, partitions: 2, config: { 'segment.bytes': '1048576' } })
    for (const acks of [1, 'all'] as const) {
      const producer = log.producer({ acks })
      for (let n = 0; n < 12; n += 1) {
        const id = `${life}-${acks}-${n}`
        const value = Buffer.alloc(n % 4 === 3 ? 300_000 : 200, n)
        const [result] = await producer.send({ topic, messages: [{ key: id, value, partition: n % 2 }] })
        if (result) promised.push({ acks: String(acks), topic, partition: n % 2, offset: result.baseOffset, id })
      }
      await producer.close()
    }
  } finally {
    await log?.close()
  }
}

/** Flushes of six partitions at once, so that they go through the journal as soon as it is there. */
async function journaled(data: string, life: number, promised: Promised[]): Promise<void> {
  const log = await open(data, { config: { 'seglog.journal.max.bytes': 65_536 } })
  try {
    const topic = `t${life}`
    await log.admin().createTopic({ topic, partitions: 6 })
    const producers = Array.from({ length: 6 }, () => log.producer({ acks: 'all' }))
    for (let n = 0; n < 12; n += 1) {
      const sent = await Promise.allSettled(
        producers.map(async (producer, partition) => {
          const id = `${life}-${partition}-${n}`
          const [result] = await producer.send({
            topic,
            messages: [{ key: id, value: Buffer.alloc(100 + 900 * (n % 3), n), partition }],
          })
          if (result) promised.push({ acks: 'all', topic, partition, offset: result.baseOffset, id })
        }),
      )
      const failed = sent.find((one) => one.status === 'rejected')
      if (failed) throw failed.reason
      // It is made in the background; where that fails, the rest flushes partition by partition.
      for (let turn = 0; n === 0 && turn < 30 && !existsSync(join(data, '.journal')); turn += 1) {
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  } finally {
    await log.close()
  }
}

describe.each([
  ['partition by partition', workload],
  ['through the journal', journaled],
])('%s', (_how, work) => {
  describe.each<[string, Omit<FaultPlan, 'failNth'>]>([
    ['EIO once', { errno: 'EIO' }],
    ['EIO from then on', { errno: 'EIO', sticky: true }],
    ['ENOSPC once', { errno: 'ENOSPC' }],
    ['ENOSPC from then on', { errno: 'ENOSPC', sticky: true }],
    ['EMFILE once', { errno: 'EMFILE', kinds: ['open'] }],
  ])('the n-th I/O call fails: %s', (_name, plan) => {
    const folders: string[] = []
    afterEach(() => {
      engine.injectFaults(null)
      for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
    })

    test('for every n: an error or success, never a lost promise, and the directory opens again', async () => {
      const counting = mkdtempSync(join(tmpdir(), 'seglog-nth-'))
      folders.push(counting)
      engine.injectFaults({ ...plan, failNth: 1_000_000_000 })
      await work(counting, 0, [])
      const calls = engine.ioCalls()
      expect(calls).toBeGreaterThan(20)
      const step = Number(process.env.SEGLOG_NTH_STEP ?? 1)
      let failures = 0
      for (let n = 1; n <= calls; n += step) {
        const data = mkdtempSync(join(tmpdir(), 'seglog-nth-'))
        const promised: Promised[] = []
        engine.injectFaults({ ...plan, failNth: n })
        const error = await work(data, n, promised).then(
          () => null,
          (caught: unknown) => caught as { code?: string; name?: string },
        )
        engine.injectFaults(null)
        if (error) {
          failures += 1
          expect(error.name, `call ${n}: ${String(error)}`).toBe('SeglogError')
          expect(error.code).toMatch(/^[A-Z_]+$/)
        }
        expect(await brokenPromises(data, promised, ['1', 'all']), `after failing call ${n} of ${calls}`).toEqual([])
        rmSync(data, { recursive: true, force: true })
      }
      expect(failures).toBeGreaterThan(0)
      expect(engine.liveMappings()).toBe(0)
    }, 900_000)
  })
})
