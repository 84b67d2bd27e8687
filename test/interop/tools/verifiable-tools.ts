import { expect, onTestFinished, test } from 'vitest'
import type { RunningTool } from '../clients/java-tools.js'
import type { ToolBench } from './tool-suite.js'

interface Acked {
  value: string
  partition: number
  offset: number
}

const partitions = 4

/** What a consumer holds, by the last it said of each partition. */
function held(consumer: RunningTool): number[] {
  const own = new Set<number>()
  for (const { name, partitions: moved } of consumer.events as {
    name: string
    partitions?: { partition: number }[]
  }[]) {
    if (name === 'partitions_assigned') for (const { partition } of moved ?? []) own.add(partition)
    if (name === 'partitions_revoked') for (const { partition } of moved ?? []) own.delete(partition)
  }
  return [...own].sort()
}

/** kafka-verifiable-producer and kafka-verifiable-consumer, which tell each record and each step of the group. */
export function verifiableTools(bench: () => ToolBench): void {
  test('verifiable: what is acknowledged is received by the group, once', async () => {
    const { createTopic, tools } = bench()
    const topic = await createTopic('verified', partitions)
    const group = `group-of-${topic}`
    const consume = () => {
      const consumer = tools.start('VerifiableConsumer', [
        ...['--topic', topic, '--group-id', group, '--session-timeout', '10000', '--verbose'],
        ...['--reset-policy', 'earliest'],
      ])
      onTestFinished(() => consumer.stop('SIGKILL'))
      return consumer
    }
    /** Writes values that begin with `first`; resolves to what the broker acknowledged. */
    const produce = async (first: number, count: number): Promise<Acked[]> => {
      const size = ['--max-messages', String(count), '--value-prefix', String(first), '--repeating-keys', '40']
      const producer = tools.start('VerifiableProducer', ['--topic', topic, '--acks', '-1', ...size])
      onTestFinished(() => producer.stop('SIGKILL'))
      expect(await producer.ended()).toBe(0)
      expect(producer.named('tool_data')).toMatchObject([{ sent: count, acked: count }])
      return producer.named<Acked>('producer_send_success')
    }
    const [a, b] = [consume(), consume()]
    const received = () => [a, b].flatMap((one) => one.named<Acked>('record_data')).map(place)
    const place = ({ partition, offset, value }: Acked) => `${partition} ${offset} ${value}`
    const everything = () => received().length >= acked.length

    await a.until('both have partitions', () => held(a).length === 2 && held(b).length === 2)
    expect([...held(a), ...held(b)].sort()).toEqual([0, 1, 2, 3])
    const acked = await produce(1, 1000)
    await a.until('all is received', everything)
    // By their keys the records are in all partitions.
    for (const one of [a, b]) expect(one.named('record_data').length).toBeGreaterThan(0)

    await b.stop()
    expect(b.named('shutdown_complete')).toHaveLength(1)
    await a.until('one has all partitions', () => held(a).length === partitions)
    acked.push(...(await produce(2, 500)))
    await a.until('all is received', everything)
    expect(received().sort()).toEqual(acked.map(place).sort())
    await a.stop()
    expect(a.named('shutdown_complete')).toHaveLength(1)

    const described = await tools.output('ConsumerGroupCommand', ['--describe', '--group', group])
    const rows = [...described.matchAll(new RegExp(`${topic} +\\d+ +(\\d+) +(\\d+) +0 `, 'g'))]
    expect(rows.reduce((sum, [, committed]) => sum + Number(committed), 0)).toBe(1500)
  })
}
