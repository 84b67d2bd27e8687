import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonLines, seglog } from '../cli/run-cli.js'
import { fetchJars, KafkaBroker, missingTools, runTool } from './kafka.js'

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

    test('groups: members, offsets, lag', async () => {
      await run(['topic', 'create', 'jobs', '--partitions', '1'])
      await run(['produce', 'jobs'], 'one\ntwo\nthree\n')
      const consume = ['consume', 'jobs', '--group', 'workers', '--format', '%v ']
      expect(await run([...consume, '--count', '2'])).toMatchObject({ code: 0, stdout: 'one two ' })
      // Kafka's console consumer leaves a group of its own behind.
      const rows = async (...args: string[]) =>
        jsonLines((await run(args)).stdout).filter(({ groupId }) => groupId === 'workers')
      expect(await rows('group', 'list')).toMatchObject([{ groupId: 'workers', state: 'Empty' }])
      expect(await rows('lag', 'workers')).toMatchObject([{ topic: 'jobs', committed: '2', end: '3', lag: '1' }])
      const reset = ['group', 'reset-offsets', 'workers', '--topic', 'jobs:0', '--shift-by', '-1']
      expect(await rows(...reset)).toMatchObject([{ committed: '2', offset: '1', executed: false }])
      expect(await rows(...reset, '--execute')).toMatchObject([{ executed: true }])
      const tool = ['--bootstrap-server', kafka.bootstrap, '--describe', '--group', 'workers']
      const told = runTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', tool)
      expect(told).toMatch(/workers +jobs +0 +1 +3 +2 /)
      expect((await run([...consume, '--exit-at-end'])).stdout).toBe('two three ')
      expect(await rows('lag')).toMatchObject([{ groupId: 'workers', topic: 'jobs', lag: '0' }])
      expect((await run(['group', 'delete', 'workers'])).code).toBe(0)
      expect(await rows('group', 'list')).toEqual([])
    })
  },
)
