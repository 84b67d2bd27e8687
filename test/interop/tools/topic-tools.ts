import { expect, test } from 'vitest'
import { newTopic } from '../matrix/topics.js'
import { eventually, type ToolBench } from './tool-suite.js'

/** kafka-topics. */
export function topicTools(bench: () => ToolBench): void {
  const topics = (...args: string[]) => bench().tools.output('TopicCommand', args)
  const refused = (...args: string[]) => bench().tools.complaint('TopicCommand', args)
  const placed = (partition: number) => new RegExp(`\\tPartition: ${partition}\\tLeader: 1\\tReplicas: 1\\tIsr: 1`)

  test('TopicCommand: creates, lists, describes, alters, deletes', async () => {
    const topic = newTopic('tools')
    const configs = ['--config', 'retention.ms=1000000', '--config', 'cleanup.policy=compact']
    expect(await topics('--create', '--topic', topic, '--partitions', '3', ...configs)).toBe(
      `Created topic ${topic}.\n`,
    )
    await eventually(async () => expect((await topics('--list')).split('\n')).toContain(topic))

    const described = await topics('--describe', '--topic', topic)
    expect(described).toMatch(
      new RegExp(`^Topic: ${topic}\\tTopicId: [\\w-]{22}\\tPartitionCount: 3\\tReplicationFactor: 1`),
    )
    expect(described).toMatch(/Configs: \S*retention\.ms=1000000/)
    expect(described).toContain('cleanup.policy=compact')
    for (const partition of [0, 1, 2]) expect(described).toMatch(placed(partition))
    expect(await topics('--describe', '--topics-with-overrides')).toContain(`Topic: ${topic}\t`)
    for (const trouble of ['--under-replicated-partitions', '--unavailable-partitions', '--under-min-isr-partitions']) {
      expect((await topics('--describe', trouble)).trim()).toBe('')
    }

    await topics('--alter', '--topic', topic, '--partitions', '5')
    await eventually(async () => {
      const grown = await topics('--describe', '--topic', topic)
      expect(grown).toContain('PartitionCount: 5')
      expect(grown).toMatch(placed(4))
    })
    expect(await refused('--alter', '--topic', topic, '--partitions', '2')).toMatch(/5 partition/)

    await topics('--delete', '--topic', topic)
    await eventually(async () => expect((await topics('--list')).split('\n')).not.toContain(topic))
    expect(await refused('--delete', '--topic', topic)).toMatch(/does not exist as expected/)
    expect(await refused('--describe', '--topic', topic)).toMatch(/does not exist as expected/)
    expect(await topics('--describe', '--topic', topic, '--if-exists')).not.toContain('Partition')
  })

  test('TopicCommand: what cannot be created is refused with its reason', async () => {
    const { createTopic } = bench()
    const topic = await createTopic('twice', 2)
    expect(await refused('--create', '--topic', topic)).toMatch(/exist/)
    expect(await topics('--create', '--topic', topic, '--if-not-exists')).not.toContain('Created')
    expect(await topics('--describe', '--topic', topic)).toContain('PartitionCount: 2')
    const replicated = await refused('--create', '--topic', newTopic('many'), '--replication-factor', '2')
    expect(replicated).toMatch(/replication factor/)
    expect(await refused('--create', '--topic', 'a/b')).toMatch(/topic name/i)
    expect(await refused('--create', '--topic', newTopic('none'), '--partitions', '0')).toMatch(/partitions/)
    const listed = await topics('--list', '--exclude-internal')
    expect(listed).not.toMatch(/many|none|__/)
  })
}
