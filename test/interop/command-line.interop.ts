import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonLines, seglog } from '../cli/run-cli.js'
import { fetchJars, KafkaBroker, missingTools } from './kafka.js'

const missing = missingTools()

describe.skipIf(missing !== null)(
  `the command line against Apache Kafka${missing === null ? '' : ` (${missing})`}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'seglog-interop-cli-'))
    const kafka = new KafkaBroker(folder)
    const run = (args: readonly string[], input = '') => seglog([...args, '--bootstrap', kafka.bootstrap], input)

    beforeAll(async () => {
      fetchJars()
      await kafka.start()
    })

    afterAll(async () => {
      await kafka.stop('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    })

    test('topics', async () => {
      const created = await run(['topic', 'create', 'orders', '--partitions', '3', '--config', 'retention.ms=3600000'])
      expect(jsonLines(created.stdout)).toMatchObject([{ topic: 'orders', partitions: 3, created: true }])
      expect((await run(['topic', 'create', 'orders'])).stderr).toContain('(TOPIC_ALREADY_EXISTS)')
      const altered = await run(['topic', 'alter', 'orders', '--partitions', '4', '--config', 'segment.ms=60000'])
      expect(altered.code).toBe(0)
      const [described] = jsonLines((await run(['topic', 'describe', 'orders'])).stdout)
      expect(described).toMatchObject({ configs: { 'retention.ms': '3600000', 'segment.ms': '60000' } })
      expect(described.partitions).toHaveLength(4)
      expect(jsonLines((await run(['topic', 'list'])).stdout)).toMatchObject([{ topic: 'orders', partitions: 4 }])
    })

    test('records, with every codec, and where they stand', async () => {
      for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
        const produced = await run(
          ['produce', 'visits', '--key-separator', ':', '--header', 'a=b', '--compression', codec],
          `${codec}:one\n${codec}:two\n`,
        )
        expect(produced).toMatchObject({ code: 0, stderr: expect.stringMatching(/^2 records/) })
      }
      const read = await run(['consume', 'visits', '--exit-at-end', '--format', '%o %k %v %h\\n'])
      expect(read.stdout.split('\n').slice(0, 3)).toEqual(['0 none one a=b', '1 none two a=b', '2 gzip one a=b'])
      expect(read.stdout.trim().split('\n')).toHaveLength(10)
      expect(kafka.consume('visits', 10)).toContain('Partition:0\tOffset:9\tzstd\ttwo')
      const last = await run(['consume', 'visits', '--from', '-1', '--count', '1', '--format', '%v'])
      expect(last.stdout).toBe('two')
      const deleted = await run(['topic', 'delete-records', 'visits', '--before', '4'])
      expect(jsonLines(deleted.stdout)).toEqual([{ topic: 'visits', partition: 0, earliest: '4' }])
      const offsets = await run(['topic', 'offsets', 'visits'])
      expect(jsonLines(offsets.stdout)).toEqual([{ topic: 'visits', partition: 0, earliest: '4', latest: '10' }])
      expect((await run(['topic', 'delete', 'visits'])).code).toBe(0)
    })
  },
)
