import { expect, onTestFinished, test } from 'vitest'
import type { ToolBench } from './tool-suite.js'

const hour = 3_600_000

/** kafka-consumer-groups. */
export function groupTools(bench: () => ToolBench): void {
  const groups = (...args: string[]) => bench().tools.output('ConsumerGroupCommand', [...args, '--timeout', '30000'])

  /** A topic of two partitions, in each ten records of two hours ago and five of now. */
  async function scene(purpose: string) {
    const { broker, client, createTopic } = bench()
    const topic = await createTopic(purpose, 2)
    const now = Date.now()
    const records = Array.from({ length: 30 }, (_, i) => {
      const n = Math.floor(i / 2)
      return { partition: i % 2, key: `${n}`, value: `${n}`, timestamp: (n < 10 ? now - 2 * hour : now) + n }
    })
    await client.produce({ bootstrap: broker.bootstrap, topic, records })
    return { topic, group: `group-of-${topic}` }
  }

  /** Columns by place of each partition's line in a table whose lines begin with the group and the topic. */
  function rows(table: string, group: string, topic: string): string[][] {
    return table
      .split('\n')
      .map((line) => line.trim().split(/ +/))
      .filter(([ofGroup, ofTopic]) => ofGroup === group && ofTopic === topic)
      .map((columns) => columns.slice(2))
      .sort()
  }

  /** Partition and offset of what was reset, in the order of partitions: 3.9 prints the whole table in one line. */
  function newOffsets(table: string, group: string, topic: string): string[] {
    const found = table.matchAll(new RegExp(`${group} +${topic} +(\\d+) +(\\d+)`, 'g'))
    return [...found].map(([, partition, offset]) => `${partition} ${offset}`).sort()
  }

  async function read(group: string, topic: string, count: number): Promise<string[]> {
    const limits = ['--max-messages', String(count), '--timeout-ms', '30000']
    const args = ['--topic', topic, '--group', group, '--from-beginning', ...limits]
    return (await bench().tools.output('ConsoleConsumer', args)).trim().split('\n')
  }

  test('ConsumerGroupCommand: a group with a member is described, and left alone', async () => {
    const { tools } = bench()
    const { topic, group } = await scene('attended')
    const joins = ['--topic', topic, '--group-id', group, '--group-instance-id', 'desk', '--reset-policy', 'earliest']
    const member = tools.start('VerifiableConsumer', joins)
    onTestFinished(() => member.stop('SIGKILL'))
    const committed = () => member.named<{ offsets: { offset: number }[] }>('offsets_committed')
    const ends = () => committed().filter(({ offsets }) => offsets.some(({ offset }) => offset === 15)).length
    const isDone = () => new Set(committed().flatMap(({ offsets }) => offsets.map((one) => JSON.stringify(one)))).size
    await member.until('all is committed', () => ends() > 0 && isDone() >= 2)

    const offsets = rows(await groups('--describe', '--group', group, '--offsets'), group, topic)
    expect(offsets).toMatchObject([
      ['0', '15', '15', '0', expect.stringMatching(/^desk-/), '/127.0.0.1', expect.any(String)],
      ['1', '15', '15', '0', expect.stringMatching(/^desk-/), '/127.0.0.1', expect.any(String)],
    ])
    const members = await groups('--describe', '--group', group, '--members', '--verbose')
    expect(members).toMatch(new RegExp(`${group} +desk-\\S+ +desk +/127\\.0\\.0\\.1 +\\S+ +2 .*(${topic}:|\\()0,1`))
    const state = await groups('--describe', '--group', group, '--state')
    expect(state).toMatch(new RegExp(`${group} +127\\.0\\.0\\.1:\\d+ +\\(1\\) +range +Stable +1\\b`))
    expect(await groups('--list', '--state', 'stable')).toMatch(new RegExp(`${group} +Stable`))

    const reset = ['--reset-offsets', '--group', group, '--topic', topic, '--to-earliest', '--execute']
    expect(await groups(...reset)).toMatch(/can only be reset if the group .* is inactive/)
    expect(await groups('--delete', '--group', group)).toMatch(/could not be deleted due to:.*GroupNotEmptyException/)
    const forgotten = await groups('--delete-offsets', '--group', group, '--topic', topic)
    expect(forgotten.match(/GroupSubscribedToTopicException/g)).toHaveLength(2)
    expect(rows(await groups('--describe', '--group', group), group, topic)[0]?.[1]).toBe('15')
    await member.stop()
  })

  test('ConsumerGroupCommand: offsets of an empty group are moved, forgotten, and the group deleted', async () => {
    const { topic, group } = await scene('moved')
    expect(await read(group, topic, 30)).toHaveLength(30)
    const standing = async () =>
      rows(await groups('--describe', '--group', group), group, topic).map((columns) => columns.slice(0, 4).join(' '))
    const reset = async (...how: string[]) =>
      newOffsets(await groups('--reset-offsets', '--group', group, ...how), group, topic)
    const all = ['--topic', topic]
    expect(await standing()).toEqual(['0 15 15 0', '1 15 15 0'])
    expect(await groups('--describe', '--group', group, '--state')).toMatch(/ Empty +0\b/)

    // Tried only: nothing moves.
    expect(await reset(...all, '--to-earliest', '--dry-run')).toEqual(['0 0', '1 0'])
    expect(await reset(...all, '--by-duration', 'PT1H', '--dry-run')).toEqual(['0 10', '1 10'])
    expect(await reset(...all, '--shift-by', '-4', '--dry-run')).toEqual(['0 11', '1 11'])
    expect(await reset('--all-topics', '--to-current', '--dry-run')).toEqual(['0 15', '1 15'])
    expect(await standing()).toEqual(['0 15 15 0', '1 15 15 0'])

    expect(await reset(...all, '--to-earliest', '--execute')).toEqual(['0 0', '1 0'])
    expect(await standing()).toEqual(['0 0 15 15', '1 0 15 15'])
    expect(await reset('--topic', `${topic}:1`, '--shift-by', '3', '--execute')).toEqual(['1 3'])
    expect(await standing()).toEqual(['0 0 15 15', '1 3 15 12'])
    expect(await reset(...all, '--by-duration', 'PT1H', '--execute')).toEqual(['0 10', '1 10'])
    expect(await standing()).toEqual(['0 10 15 5', '1 10 15 5'])
    expect((await read(group, topic, 10)).map(Number).sort((a, b) => a - b)).toEqual([
      10, 10, 11, 11, 12, 12, 13, 13, 14, 14,
    ])
    // Further than there are records: to the ends.
    expect(await reset(...all, '--shift-by', '-100', '--execute')).toEqual(['0 0', '1 0'])
    expect(await reset(...all, '--to-offset', '7', '--execute')).toEqual(['0 7', '1 7'])
    expect(await reset(...all, '--to-datetime', new Date(Date.now() + hour).toISOString(), '--execute')).toEqual([
      '0 15',
      '1 15',
    ])

    expect(await groups('--delete-offsets', '--group', group, '--topic', `${topic}:1`)).toMatch(/1 +Successful/)
    expect(await standing()).toEqual(['0 15 15 0'])
    const unknown = await groups('--delete-offsets', '--group', group, '--topic', 'nowhere')
    expect(unknown).toMatch(/UnknownTopicOrPartitionException/)

    expect((await groups('--list')).split('\n')).toContain(group)
    expect(await groups('--delete', '--group', group)).toContain(`('${group}') was successful`)
    expect((await groups('--list')).split('\n')).not.toContain(group)
    expect(await groups('--delete', '--group', group)).toMatch(/GroupIdNotFoundException/)
    expect(await groups('--describe', '--group', group)).toMatch(/does not exist|GroupIdNotFoundException/)
  })

  test('ConsumerGroupCommand: several groups at once', async () => {
    const { tools } = bench()
    const { topic } = await scene('shared')
    const both = [`left-${topic}`, `right-${topic}`]
    for (const group of both) await read(group, topic, 30)
    const described = await groups('--describe', '--all-groups')
    for (const group of both) expect(rows(described, group, topic)).toHaveLength(2)
    const moved = await groups(
      '--reset-offsets',
      ...both.flatMap((group) => ['--group', group]),
      '--topic',
      topic,
      '--to-earliest',
      '--execute',
    )
    for (const group of both) expect(newOffsets(moved, group, topic)).toEqual(['0 0', '1 0'])
    if (tools.line === 4) {
      const listed = await tools.output('GroupsCommand', ['--list', '--consumer'])
      for (const group of both) expect(listed).toMatch(new RegExp(`${group} +Classic +consumer`))
    }
    await groups('--delete', ...both.flatMap((group) => ['--group', group]))
    const left = await groups('--list')
    for (const group of both) expect(left).not.toContain(group)
  })
}
