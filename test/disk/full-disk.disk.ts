import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { open, type SeglogLog } from '../../ts/index.js'
import { type Kind, missingFor, SmallFileSystem } from './small-file-system.js'

const sizes: Record<Kind, number> = { tmpfs: 64, btrfs: 160, ext4: 64, xfs: 330 }

describe.each(Object.keys(sizes) as Kind[])('a full %s', (kind) => {
  const missing = missingFor(kind)
  let disk: SmallFileSystem | null = null
  afterEach(() => {
    disk?.dispose()
    disk = null
  })

  /** Sends until the disk is full; returns how many were acknowledged and the error. */
  async function fill(
    log: SeglogLog,
    valueBytes: number,
  ): Promise<{ acknowledged: number; error: { code?: string; message?: string } }> {
    const producer = log.producer({ acks: 1 })
    for (let acknowledged = 0; ; acknowledged += 1) {
      try {
        await producer.send({ topic: 'fill', messages: [{ value: Buffer.alloc(valueBytes, acknowledged & 0xff) }] })
      } catch (error) {
        return { acknowledged, error: error as { code?: string } }
      }
      if (acknowledged > 5_000_000) throw new Error('the disk never filled')
    }
  }

  async function count(log: SeglogLog): Promise<number> {
    const [end] = await log.admin().listOffsets({ topic: 'fill' })
    const total = Number((end?.latest ?? 0n) - (end?.earliest ?? 0n))
    if (total === 0) return 0
    const consumer = log.consumer()
    await consumer.assign([{ topic: 'fill', partition: 0, offset: 0n }])
    let seen = 0
    for await (const message of consumer) {
      expect(message.offset).toBe(BigInt(seen))
      seen += 1
      if (seen === total) break
    }
    await consumer.close()
    return seen
  }

  test.skipIf(missing !== null).each([
    ['small records', 900],
    ['large records', 400_000],
  ])(
    `%s: a clear error, reads go on, producing resumes when there is room${missing ? ` (${missing})` : ''}`,
    async (_, bytes) => {
      disk = new SmallFileSystem(kind, sizes[kind])
      const filler = join(disk.path, 'filler')
      writeFileSync(filler, Buffer.alloc(16 << 20, 1))
      const data = join(disk.path, 'data')
      const log = await open(data)
      await log.admin().createTopic({ topic: 'fill', partitions: 1, config: { 'segment.bytes': '4194304' } })

      const first = await fill(log, bytes)
      expect(first.acknowledged).toBeGreaterThan(10)
      expect(first.error).toMatchObject({ name: 'SeglogError', code: 'NO_SPACE', retriable: true, topic: 'fill' })
      expect(first.error.message).toMatch(/space/)
      expect(await count(log)).toBe(first.acknowledged)

      rmSync(filler)
      const second = await fill(log, bytes)
      expect(second.acknowledged).toBeGreaterThan(5)
      expect(second.error).toMatchObject({ code: 'NO_SPACE' })
      const held = first.acknowledged + second.acknowledged
      expect(await count(log)).toBe(held)

      await log.close()
      expect(existsSync(join(data, '.kafka_cleanshutdown')), 'a clean close works while the disk is full').toBe(true)
      const again = await open(data, { readOnly: true })
      expect(await count(again)).toBe(held)
      await again.close()
    },
  )
})
