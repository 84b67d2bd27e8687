import { expect, test } from 'vitest'
import { batchesOnDisk } from '../matrix/disk.js'
import type { ToolBench } from './tool-suite.js'

const count = 20_000
const recordBytes = 100

/** kafka-producer-perf-test and kafka-consumer-perf-test. */
export function performanceTools(bench: () => ToolBench): void {
  test.each(['none', 'zstd'] as const)('perf tools, %s: all that is written is stored and read', async (codec) => {
    const { broker, createTopic, tools } = bench()
    const topic = await createTopic(`perf-${codec}`, 2)
    const size = ['--num-records', String(count), '--record-size', String(recordBytes), '--throughput', '-1']
    // Its own properties stand first; several go behind one option.
    const produced = await tools.output('ProducerPerformance', [`compression.type=${codec}`, '--topic', topic, ...size])
    expect(produced).toMatch(new RegExp(`${count} records sent, [\\d.]+ records/sec \\(.* ms 99.9th\\.`))
    const stored = [0, 1].flatMap((partition) => batchesOnDisk(broker.data, `${topic}-${partition}`))
    expect(stored.reduce((sum, { records }) => sum + records, 0)).toBe(count)
    expect(new Set(stored.map((batch) => batch.codec))).toEqual(new Set([codec]))
    // Idempotent, as Kafka's producers are by themselves.
    expect(stored.every(({ producerId }) => producerId >= 0)).toBe(true)

    const group = `group-of-${topic}`
    const howMany = [tools.line === 3 ? '--messages' : '--num-records', String(count), '--timeout', '30000']
    const consumed = await tools.output('ConsumerPerformance', ['--topic', topic, '--group', group, ...howMany])
    const [names = '', figures = ''] = consumed.trim().split('\n')
    const of = (name: string) => figures.split(', ')[names.split(', ').indexOf(name)]
    expect(Number(of('data.consumed.in.nMsg'))).toBe(count)
    expect(Number(of('data.consumed.in.MB'))).toBeCloseTo((count * recordBytes) / 1024 / 1024, 3)
    const described = await tools.output('ConsumerGroupCommand', ['--describe', '--group', group])
    const lags = [...described.matchAll(new RegExp(`${topic} +\\d+ +(\\d+) +\\d+ +(\\d+) `, 'g'))]
    expect(lags.reduce((sum, [, committed]) => sum + Number(committed), 0)).toBe(count)
    expect(lags.map(([, , lag]) => lag)).toEqual(['0', '0'])
  })
}
