import { expect, test } from 'vitest'
import { batchesOnDisk } from '../matrix/disk.js'
import type { ToolBench } from './tool-suite.js'

const patience = ['--timeout-ms', '30000']

/** kafka-console-producer and kafka-console-consumer. */
export function consoleTools(bench: () => ToolBench): void {
  const produce = (topic: string, args: readonly string[], lines: readonly string[]) =>
    bench().tools.output('ConsoleProducer', ['--topic', topic, ...args], `${lines.join('\n')}\n`)
  /** The first `count` records that it prints. */
  const consume = async (topic: string, count: number, ...args: string[]) => {
    const limits = ['--max-messages', String(count), ...patience]
    const { code, output, errors } = await bench().tools.run('ConsoleConsumer', ['--topic', topic, ...args, ...limits])
    expect({ code, errors }).toEqual({
      code: 0,
      errors: expect.stringContaining(`Processed a total of ${count} messages`),
    })
    return output.split('\n').filter((line) => line !== '')
  }

  test('console: keys, headers and nulls arrive as they were typed', async () => {
    const { broker, createTopic, tools } = bench()
    const topic = await createTopic('typed', 1)
    const parsed = Object.entries({
      'parse.key': 'true',
      'key.separator': '=',
      'parse.headers': 'true',
      'null.marker': 'NULL',
    })
    const properties = parsed.flatMap(([name, value]) => tools.property('reader', name, value))
    const lines = ['a:1,b:zwei €\tk1=v1', 'c:3\tk2=v=2', 'NULL\tk3=NULL', 'd:\tNULL=🙂']
    await produce(topic, ['--compression-codec', 'lz4', ...properties], lines)

    const printed = ['key', 'headers', 'offset', 'partition'].flatMap((what) =>
      tools.property('formatter', `print.${what}`, 'true'),
    )
    expect(await consume(topic, 4, '--from-beginning', ...printed)).toEqual([
      'Partition:0\tOffset:0\ta:1,b:zwei €\tk1\tv1',
      'Partition:0\tOffset:1\tc:3\tk2\tv=2',
      'Partition:0\tOffset:2\tNO_HEADERS\tk3\tnull',
      'Partition:0\tOffset:3\td:\tnull\t🙂',
    ])
    expect(await consume(topic, 2, '--partition', '0', '--offset', '1')).toEqual(['v=2', 'null'])
    const stored = batchesOnDisk(broker.data, `${topic}-0`)
    expect(stored.reduce((sum, { records }) => sum + records, 0)).toBe(4)
    expect(new Set(stored.map(({ codec }) => codec))).toEqual(new Set(['lz4']))
  })

  test('console: a group goes on where its last consumer stopped', async () => {
    const { createTopic, tools } = bench()
    const topic = await createTopic('continued', 1)
    const group = ['--group', `group-of-${topic}`]
    await produce(topic, [], ['one', 'two', 'three'])
    expect(await consume(topic, 2, ...group, '--from-beginning')).toEqual(['one', 'two'])
    await produce(topic, [], ['four'])
    expect(await consume(topic, 2, ...group, '--from-beginning')).toEqual(['three', 'four'])
    const described = await tools.output('ConsumerGroupCommand', ['--describe', ...group])
    expect(described).toMatch(new RegExp(`group-of-${topic} +${topic} +0 +4 +4 +0 +- `))
  })

  test('console: a topic nobody made is made by its first record', async () => {
    const { tools } = bench()
    const topic = `unmade-${tools.line}-${process.pid}`
    await produce(topic, [], ['first'])
    expect(await consume(topic, 1, '--from-beginning')).toEqual(['first'])
    expect(await tools.output('TopicCommand', ['--describe', '--topic', topic])).toContain('PartitionCount: 1')
  })
}
