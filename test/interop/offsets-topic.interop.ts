import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Broker } from '../../ts/broker/broker.js'
import { coordinatorPartition } from '../../ts/broker/groups/java-hash.js'
import { type ApiKey, apiKey, apis, type RequestOf, type ResponseOf } from '../../ts/protocol/apis.js'
import { create, type Message } from '../../ts/protocol/schema.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { fetchJars, KafkaBroker, missingTools, runTool } from './kafka.js'

const missing = missingTools()
const offsetsTopic = '__consumer_offsets'

async function ask<K extends ApiKey>(broker: Broker, key: K, fields: Partial<RequestOf<K>>): Promise<ResponseOf<K>> {
  const table: Message = apis[key].request
  const context = {
    apiVersion: apis[key].request.lastStable,
    clientId: 'interop',
    clientHost: '127.0.0.1',
    listener: 'INTERNAL',
    principal: 'User:test',
    connectionId: '1',
    trusted: true,
  }
  return broker.handle(key, create(table, fields as object) as unknown as RequestOf<K>, context)
}

/** `topic/partition` to offset, once the group is loaded. */
async function offsetsOf(broker: Broker, groupId: string): Promise<Record<string, number>> {
  for (;;) {
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics: null }]
    const [group] = (await ask(broker, apiKey.offsetFetch, { groups, requireStable: true })).groups
    if (group.errorCode === 14) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      continue
    }
    expect(group.errorCode).toBe(0)
    const found: Record<string, number> = {}
    for (const { name, partitions } of group.topics) {
      for (const part of partitions) found[`${name}/${part.partitionIndex}`] = Number(part.committedOffset)
    }
    return found
  }
}

async function commit(broker: Broker, groupId: string, topic: string, offsets: readonly number[]): Promise<void> {
  const partitions = offsets.map((offset, partitionIndex) => ({
    ...{ partitionIndex, committedOffset: BigInt(offset) },
    ...{ committedLeaderEpoch: 0, committedMetadata: `by seglog ${offset}` },
  }))
  const topics = [{ name: topic, topicId: zeroUuid, partitions }]
  const answer = await ask(broker, apiKey.offsetCommit, { groupId, topics })
  expect(answer.topics[0].partitions.map(({ errorCode }) => errorCode)).toEqual(offsets.map(() => 0))
}

/** One member joins, is assigned and stays. */
async function form(broker: Broker, groupId: string): Promise<string> {
  const protocols = [{ name: 'range', metadata: Buffer.from([0, 0, 0, 0, 0, 1, 0, 1, 0x74, 255, 255, 255, 255]) }]
  const joining = { groupId, protocolType: 'consumer', protocols, sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 60_000 }
  const { memberId } = await ask(broker, apiKey.joinGroup, joining)
  const { generationId } = await ask(broker, apiKey.joinGroup, { ...joining, memberId })
  const assignments = [{ memberId, assignment: Buffer.from([0, 0, 0, 0, 0, 0, 255, 255, 255, 255]) }]
  const sync = { groupId, memberId, generationId, protocolType: 'consumer', protocolName: 'range', assignments }
  expect((await ask(broker, apiKey.syncGroup, sync)).errorCode).toBe(0)
  return memberId
}

/** One member of the consumer protocol joins, by names or by a regular expression, and stays. */
async function joinConsumer(broker: Broker, groupId: string, subscription: Partial<RequestOf<68>>): Promise<string> {
  const memberId = `member-of-${groupId}`
  const joining = { groupId, memberId, memberEpoch: 0, rebalanceTimeoutMs: 60_000, topicPartitions: [] }
  const answer = await ask(broker, apiKey.consumerGroupHeartbeat, { ...joining, ...subscription })
  expect(answer).toMatchObject({ errorCode: 0, memberId })
  return memberId
}

/** What Kafka's own decoder makes of the group's partition, one record a line. */
function decoded(data: string, groupId: string): string[] {
  const folder = join(data, `${offsetsTopic}-${coordinatorPartition(groupId, 50)}`)
  const args = ['--offsets-decoder', '--files', join(folder, '00000000000000000000.log')]
  return runTool('org.apache.kafka.tools.DumpLogSegments', args)
    .split('\n')
    .filter((line) => line.includes('payload:'))
    .map((line) => line.slice(line.indexOf('key:')))
}

describe.skipIf(missing !== null)(
  `groups and offsets shared with Apache Kafka${missing ? ` (${missing})` : ''}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'seglog-interop-'))
    const kafka = new KafkaBroker(folder)

    beforeAll(() => fetchJars())
    afterAll(async () => {
      await kafka.stop('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    })

    const consume = (group: string, count: number, protocol: 'classic' | 'consumer') =>
      runTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        ...['--bootstrap-server', kafka.bootstrap, '--topic', 't', '--from-beginning', '--group', group],
        ...['--max-messages', String(count), '--timeout-ms', '60000'],
        ...['--consumer-property', `group.protocol=${protocol}`],
      ])
    const groups = (...args: string[]) =>
      runTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
        ...['--bootstrap-server', kafka.bootstrap],
        ...args,
      ])

    test('what is written here, Kafka decodes', async () => {
      const data = join(folder, 'ours')
      const broker = await Broker.open(data)
      await ask(broker, apiKey.findCoordinator, { coordinatorKeys: ['g'] })
      const topics = [{ name: 't', numPartitions: 2, replicationFactor: -1, assignments: [], configs: [] }]
      await ask(broker, apiKey.createTopics, { topics })
      await commit(broker, 'g', 't', [5, 6])
      const memberId = await form(broker, 'g')
      await broker.close()
      const lines = decoded(data, 'g')
      expect(lines).toHaveLength(3)
      expect(lines[0]).toContain('"group":"g","topic":"t","partition":0')
      expect(lines[0]).toMatch(
        /"version":"4".*"offset":5,"leaderEpoch":0,"metadata":"by seglog 5".*"topicId":"[\w-]{22}"/,
      )
      expect(lines[2]).toContain('"type":"2"')
      expect(lines[2]).toContain('"protocolType":"consumer","generation":1,"protocol":"range"')
      expect(lines[2]).toContain(memberId)
    })

    test('what is written here of groups of the consumer protocol, Kafka decodes', async () => {
      const data = join(folder, 'consumers')
      const broker = await Broker.open(data)
      await ask(broker, apiKey.findCoordinator, { coordinatorKeys: ['c'] })
      const topics = [{ name: 't', numPartitions: 2, replicationFactor: -1, assignments: [], configs: [] }]
      await ask(broker, apiKey.createTopics, { topics })
      const memberId = await joinConsumer(broker, 'c', { subscribedTopicRegex: 't|u' })
      await broker.close()
      const lines = decoded(data, 'c')
      const kinds = lines.map((line) => /"type":"(\d+)"/.exec(line)?.[1])
      expect(kinds).toEqual(['5', '16', '3', '7', '6', '8'])
      expect(lines[0]).toContain('"subscribedTopicRegex":"t|u"')
      expect(lines[1]).toContain('"topics":["t"]')
      expect(lines[2]).toMatch(/"epoch":1,"metadataHash":-?[1-9]/)
      expect(lines[3]).toMatch(/"topicPartitions":\[\{"topicId":"[\w-]{22}","partitions":\[0,1\]\}\]/)
      expect(lines[4]).toMatch(/"assignmentEpoch":1,"assignmentTimestamp":\d{13}/)
      expect(lines[5]).toContain('"memberEpoch":1,"previousMemberEpoch":0,"state":0')
      expect(lines[5]).toContain('"assignmentEpochs":[1,1]')
      expect(lines[5]).toContain(memberId)
    })

    test('what Kafka wrote is loaded: classic groups, groups of the consumer protocol, and their offsets', async () => {
      await kafka.start()
      kafka.createTopic('t', 2)
      kafka.produce(
        't',
        Array.from({ length: 50 }, (_, i) => `k${i}\tv${i}`),
        'none',
      )
      consume('old', 30, 'classic')
      consume('new', 40, 'consumer')
      const lines = groups('--describe', '--all-groups')
      await kafka.stop()
      const broker = await Broker.open(kafka.data)
      for (const group of ['old', 'new']) {
        const expected = Object.fromEntries(
          lines
            .split('\n')
            .map((line) => line.trim().split(/\s+/))
            .filter(([name, topic]) => name === group && topic === 't')
            .map(([, topic, partition, offset]) => [`${topic}/${partition}`, Number(offset)]),
        )
        expect(Object.keys(expected)).toHaveLength(2)
        expect(await offsetsOf(broker, group)).toEqual(expected)
      }
      const listed = (await ask(broker, apiKey.listGroups, {})).groups.map(({ groupId }) => groupId)
      expect(listed.sort()).toEqual(['new', 'old'])
      const described = (await ask(broker, apiKey.consumerGroupDescribe, { groupIds: ['new'] })).groups[0]
      expect(described).toMatchObject({ errorCode: 0, groupState: 'Empty', members: [] })
      expect(described.groupEpoch).toBeGreaterThan(1)
      await joinConsumer(broker, 'new', { subscribedTopicNames: ['t'] })
      await commit(broker, 'old', 't', [7, 8])
      await commit(broker, 'ours', 't', [1, 2])
      await broker.close()
    })

    test('what is written here into its directory, Kafka takes up', async () => {
      await kafka.start()
      const described = groups('--describe', '--all-groups')
      const of = (group: string) =>
        described
          .split('\n')
          .map((line) => line.trim().split(/\s+/))
          .filter(([name]) => name === group)
          .map(([, topic, partition, offset]) => `${topic}/${partition}: ${offset}`)
          .sort()
      expect(of('old')).toEqual(['t/0: 7', 't/1: 8'])
      expect(of('ours')).toEqual(['t/0: 1', 't/1: 2'])
      // Its session has just begun there.
      const members = groups('--describe', '--group', 'new', '--members', '--verbose')
      expect(members).toMatch(/new\s+member-of-new .*t:0,1/)
      await kafka.stop()
    })
  },
)
