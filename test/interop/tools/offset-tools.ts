import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ToolBench } from './tool-suite.js'

const start = 1_700_000_000_000

/** kafka-get-offsets and kafka-delete-records. */
export function offsetTools(bench: () => ToolBench): void {
  const offsets = async (...args: string[]) => (await bench().tools.output('GetOffsetShell', args)).trim().split('\n')

  /** Two partitions; the newest of the 50 records of each is its 21st. */
  async function scene(purpose: string): Promise<string> {
    const { broker, client, createTopic } = bench()
    const topic = await createTopic(purpose, 2)
    const records = Array.from({ length: 100 }, (_, i) => {
      const n = Math.floor(i / 2)
      return { partition: i % 2, key: `${n}`, value: `${n}`, timestamp: start + (n === 20 ? 99 : n) * 1000 }
    })
    await client.produce({ bootstrap: broker.bootstrap, topic, records })
    return topic
  }

  test('GetOffsetShell: first, last, newest, and by time', async () => {
    const topic = await scene('measured')
    const of = ['--topic', topic]
    const both = (offset: number) => [`${topic}:0:${offset}`, `${topic}:1:${offset}`]
    expect(await offsets(...of)).toEqual(both(50))
    for (const [time, offset] of [
      ['-1', 50],
      ['-2', 0],
      ['-3', 20],
      ['latest', 50],
      ['earliest', 0],
      ['max-timestamp', 20],
      ['earliest-local', 0],
      [`${start + 9500}`, 10],
      [`${start + 60_000}`, 20],
    ] as const) {
      expect([time, ...(await offsets(...of, '--time', time))]).toEqual([time, ...both(offset)])
    }
    // Nothing is that late, and nothing in tiered storage: Kafka says nothing then.
    expect(await offsets(...of, '--time', `${start + 100_000}`)).toEqual([''])
    expect(await offsets(...of, '--time', 'latest-tiered')).toEqual([''])
    expect(await offsets('--topic-partitions', `${topic}:1`)).toEqual([`${topic}:1:50`])
    expect(await bench().tools.complaint('GetOffsetShell', ['--topic', 'nowhere'])).toMatch(/Could not match any/)
  })

  test('DeleteRecordsCommand: a log begins later', async () => {
    const { broker, client, tools } = bench()
    const topic = await scene('shortened')
    const folder = mkdtempSync(join(tmpdir(), 'seglog-tools-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const deleteBefore = (...places: { partition: number; offset: number }[]) => {
      const file = join(folder, 'offsets.json')
      writeFileSync(file, JSON.stringify({ version: 1, partitions: places.map((one) => ({ topic, ...one })) }))
      return tools.run('DeleteRecordsCommand', ['--offset-json-file', file])
    }
    const said = await deleteBefore({ partition: 0, offset: 30 }, { partition: 1, offset: -1 })
    expect(said.output).toContain(`partition: ${topic}-0\tlow_watermark: 30`)
    expect(said.output).toContain(`partition: ${topic}-1\tlow_watermark: 50`)
    expect(await offsets('--topic', topic, '--time', '-2')).toEqual([`${topic}:0:30`, `${topic}:1:50`])
    expect(await offsets('--topic', topic, '--time', '-1')).toEqual([`${topic}:0:50`, `${topic}:1:50`])
    const job = { bootstrap: broker.bootstrap, topic, partitions: 2, count: 20, from: 'earliest' } as const
    expect((await client.consume(job)).map(({ offset }) => offset)).toEqual(
      Array.from({ length: 20 }, (_, i) => 30 + i),
    )
    const beyond = await deleteBefore({ partition: 0, offset: 51 })
    expect(beyond.output + beyond.errors).toMatch(/OffsetOutOfRangeException/)
    expect(await offsets('--topic', topic, '--time', '-2')).toEqual([`${topic}:0:30`, `${topic}:1:50`])
  })
}
