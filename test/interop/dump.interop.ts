import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { open } from '../../ts/index.js'
import { dumpPartition, fetchJars, missingTools } from './kafka.js'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const missing = missingTools()

/** Kafka's dump tool says so in its own words when anything is wrong. */
const complaints = /Mismatches in|Index offset mismatches|isvalid: false|Found .* invalid bytes|out of order|Exception/

function complaintsIn(dump: string): string[] {
  return dump.split('\n').filter((line) => complaints.test(line))
}

describe.skipIf(missing !== null)(`DumpLogSegments reads what Seglog writes${missing ? ` (${missing})` : ''}`, () => {
  const data = mkdtempSync(join(tmpdir(), 'seglog-dump-'))
  const perCodec = 6000

  beforeAll(async () => {
    fetchJars()
    const log = await open(data)
    for (const compression of codecs) {
      const topic = `dump-${compression}`
      await log.admin().createTopic({ topic, partitions: 1, config: { 'segment.bytes': '1048576' } })
      const producer = log.producer({ compression, acks: 1, batchSize: 8192 })
      for (let at = 0; at < perCodec; at += 100) {
        await producer.send({
          topic,
          messages: Array.from({ length: 100 }, (_, i) => ({
            key: (at + i) % 7 === 0 ? null : `key-${at + i}`,
            value: (at + i) % 11 === 0 ? null : `${'v'.repeat((at + i) % 900)}-${at + i}-${Math.random()}`,
            headers: (at + i) % 5 === 0 ? { source: 'interop', n: String(at + i) } : undefined,
            timestamp: 1_700_000_000_000 + ((at + i) % 13) * 1000 + at,
          })),
        })
      }
      await producer.close()
    }
    await log.close()
  })
  afterAll(() => rmSync(data, { recursive: true, force: true }))

  test.each(codecs)('%s: every record is there, no file disagrees', (codec) => {
    const folder = join(data, `dump-${codec}-0`)
    const dump = dumpPartition(folder)
    expect(complaintsIn(dump)).toEqual([])
    const offsets = [...dump.matchAll(/^\| offset: (\d+) /gm)].map((match) => Number(match[1]))
    expect(offsets).toEqual(Array.from({ length: perCodec }, (_, i) => i))
    expect([...dump.matchAll(/compresscodec: (\w+)/g)].map((match) => match[1])).toContain(codec)
    if (codec === 'none') expect(readdirSync(folder).filter((name) => name.endsWith('.log')).length).toBeGreaterThan(1)
    expect(/^offset: \d+ position: \d+/m.test(dump)).toBe(true)
    expect(/^timestamp: \d+ offset: \d+/m.test(dump)).toBe(true)
  })

  test('the complaint pattern is one that a damaged index does trigger', async () => {
    const { copyFileSync, mkdirSync, readFileSync, writeFileSync } = await import('node:fs')
    const folder = join(data, 'dump-none-0')
    const copy = join(data, 'damaged')
    mkdirSync(copy)
    const base = '00000000000000000000'
    for (const suffix of ['log', 'index', 'timeindex'])
      copyFileSync(join(folder, `${base}.${suffix}`), join(copy, `${base}.${suffix}`))
    const index = readFileSync(join(copy, `${base}.index`))
    index.writeInt32BE(index.readInt32BE(0) + 1, 0)
    writeFileSync(join(copy, `${base}.index`), index)
    expect(complaintsIn(dumpPartition(copy))).not.toEqual([])
  })
})
