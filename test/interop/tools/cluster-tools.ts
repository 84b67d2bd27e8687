import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { batchesOnDisk } from '../matrix/disk.js'
import type { ToolBench } from './tool-suite.js'

/** What a single open node answers to kafka-leader-election, -log-dirs, -cluster, -metadata-quorum, -acls and others. */
export function clusterTools(bench: () => ToolBench): void {
  test('LeaderElectionCommand: the leader is the right one already', async () => {
    const { createTopic, tools } = bench()
    const topic = await createTopic('led', 2)
    const elect = ['--election-type', 'preferred']
    for (const partition of ['0', '1']) {
      const said = await tools.output('LeaderElectionCommand', [...elect, '--topic', topic, '--partition', partition])
      expect(said).toContain(`Valid replica already elected for partitions ${topic}-${partition}`)
    }
    const unclean = ['--election-type', 'unclean', '--topic', topic, '--partition', '0']
    expect(await tools.output('LeaderElectionCommand', unclean)).toContain(`Valid replica already elected`)
    expect((await tools.output('LeaderElectionCommand', [...elect, '--all-topic-partitions'])).trim()).toBe('')
    const nowhere = await tools.complaint('LeaderElectionCommand', [...elect, '--topic', 'nowhere', '--partition', '0'])
    expect(nowhere).toContain('UnknownTopicOrPartitionException')
    expect(nowhere).toContain('1 replica(s) could not be elected')
  })

  test('LogDirsCommand: where partitions are, and how large', async () => {
    const { broker, client, createTopic, tools } = bench()
    const topic = await createTopic('sized', 2)
    const records = [{ partition: 1, key: 'key', value: 'x'.repeat(1234) }]
    await client.produce({ bootstrap: broker.bootstrap, topic, records })
    expect(batchesOnDisk(broker.data, `${topic}-1`)).toMatchObject([{ records: 1 }])
    const said = await tools.output('LogDirsCommand', ['--describe', '--topic-list', topic])
    const answer = JSON.parse(said.slice(said.indexOf('{"'))) as {
      brokers: {
        broker: number
        logDirs: { logDir: string; error: null; partitions: { partition: string; size: number }[] }[]
      }[]
    }
    expect(answer.brokers).toMatchObject([{ broker: 1, logDirs: [{ logDir: broker.data, error: null }] }])
    const sizes = new Map(answer.brokers[0]?.logDirs[0]?.partitions.map(({ partition, size }) => [partition, size]))
    expect([...sizes.keys()].sort()).toEqual([`${topic}-0`, `${topic}-1`])
    expect(sizes.get(`${topic}-0`)).toBe(0)
    // A batch's header, a record's own lengths, and the value.
    expect(sizes.get(`${topic}-1`)).toBe(61 + 12 + 1234)
    expect(await tools.complaint('LogDirsCommand', ['--describe', '--broker-list', '7'])).toMatch(/do not exist.*7/)
  })

  test('ClusterTool and MetadataQuorumCommand: one node with the id that its directory carries', async () => {
    const { broker, tools } = bench()
    const id = /^cluster\.id=(.+)$/m.exec(readFileSync(join(broker.data, 'meta.properties'), 'utf8'))?.[1]
    const target = ['--bootstrap-server', broker.bootstrap]
    expect(await tools.output('ClusterTool', ['cluster-id', ...target])).toContain(`Cluster ID: ${id}\n`)
    if (tools.line === 4) {
      const [host, port] = broker.bootstrap.split(':')
      const listed = await tools.output('ClusterTool', ['list-endpoints', ...target])
      expect(listed).toMatch(new RegExp(`^1 +${host} +${port} +null +unfenced +broker`, 'm'))
    }
    const status = await tools.output('MetadataQuorumCommand', ['describe', '--status'])
    expect(status).toMatch(new RegExp(`^ClusterId: +${id}$`, 'm'))
    expect(status).toMatch(/^LeaderId: +1$/m)
    expect(status).toMatch(/^MaxFollowerLag: +0$/m)
    expect(status).toMatch(/^CurrentVoters: +\[\{"id": 1, .*"endpoints": \["\w+:\/\/127\.0\.0\.1:\d+"\]\}\]$/m)
    expect(status).toMatch(/^CurrentObservers: +\[\]$/m)
    const replication = (await tools.output('MetadataQuorumCommand', ['describe', '--replication'])).trim().split('\n')
    expect(replication).toHaveLength(2)
    expect(replication[1]).toMatch(/^1 +\t[\w-]{22}\t\d+ +\t0 +\t\d+ +\t\d+ +\tLeader/)
  })

  test('BrokerApiVersionsCommand: what a client needs is usable', async () => {
    const { broker, tools } = bench()
    const said = await tools.output('BrokerApiVersionsCommand', [])
    expect(said).toContain(`${broker.bootstrap} (id: 1 rack: null`)
    const ranges = new Map(
      [...said.matchAll(/^\t(\w+)\((\d+)\): (.+?),?$/gm)].map(([, name, , range]) => [name, range]),
    )
    expect(ranges.get('Produce')).toMatch(/^0 to 13 \[usable: \d+\]$/)
    expect(ranges.get('Fetch')).toMatch(/^4 to 18 \[usable: \d+\]$/)
    const needed = [
      ...['Produce', 'Fetch', 'ListOffsets', 'Metadata', 'OffsetCommit', 'OffsetFetch', 'FindCoordinator', 'JoinGroup'],
      ...['Heartbeat', 'LeaveGroup', 'SyncGroup', 'DescribeGroups', 'ListGroups', 'ApiVersions', 'CreateTopics'],
      ...['DeleteTopics', 'DeleteRecords', 'InitProducerId', 'OffsetForLeaderEpoch', 'DescribeAcls', 'CreateAcls'],
      ...['DeleteAcls', 'DescribeConfigs', 'AlterConfigs', 'DescribeLogDirs', 'CreatePartitions', 'DeleteGroups'],
      ...['ElectLeaders', 'IncrementalAlterConfigs', 'ListPartitionReassignments', 'OffsetDelete', 'DescribeCluster'],
      ...['DescribeClientQuotas', 'DescribeQuorum', 'DescribeProducers', 'DescribeTopicPartitions'],
    ]
    expect(needed.filter((name) => !/usable: \d+/.test(ranges.get(name) ?? ''))).toEqual([])
  })

  test('AclCommand: says that there is no authorizer', async () => {
    const { tools } = bench()
    const reads = ['--allow-principal', 'User:somebody', '--operation', 'Read', '--topic', 'anything']
    for (const args of [['--list'], ['--add', ...reads], ['--remove', '--force', ...reads]]) {
      expect(await tools.complaint('AclCommand', args)).toContain('SecurityDisabledException')
    }
  })

  test('TransactionsCommand and ReassignPartitionsCommand: idempotent producers, and nothing on the move', async () => {
    const { broker, client, createTopic, tools } = bench()
    const topic = await createTopic('producers', 1)
    const where = ['describe-producers', '--topic', topic, '--partition', '0']
    expect((await tools.output('TransactionsCommand', where)).trim().split('\n')).toHaveLength(1)
    const records = ['a', 'b', 'c'].map((value) => ({ partition: 0, key: null, value }))
    await client.produce({ bootstrap: broker.bootstrap, topic, records, idempotent: true })
    const [names = '', figures = '', ...more] = (await tools.output('TransactionsCommand', where)).trim().split('\n')
    const columns = (line: string) => line.split('\t').map((text) => text.trim())
    const of = (name: string) => columns(figures)[columns(names).indexOf(name)]
    expect([of('ProducerEpoch'), of('LastSequence'), of('CurrentTransactionStartOffset'), more]).toEqual([
      '0',
      '2',
      'None',
      [],
    ])
    const [batch] = batchesOnDisk(broker.data, `${topic}-0`)
    expect(of('ProducerId')).toBe(String(batch?.producerId))
    const moving = await tools.output('ReassignPartitionsCommand', ['--list'])
    expect(moving).toContain('No partition reassignments found.')
  })

  test('ClientCompatibilityTest: as for a broker of the newest version', async () => {
    const { createTopic, tools } = bench()
    const topic = await createTopic('compatible', 1)
    const features = {
      'create-topics-supported': true,
      'offsets-for-times-supported': true,
      'cluster-id-supported': true,
      'expect-record-too-large-exception': false,
      'describe-acls-supported': true,
      'describe-configs-supported': true,
      'idempotent-producer-supported': true,
    }
    const said = await tools.output('ClientCompatibilityTest', [
      ...['--num-cluster-nodes', '1', '--topic', topic],
      ...Object.entries(features).flatMap(([name, value]) => [`--${name}`, value ? 'True' : 'False']),
    ])
    expect(said).toBe('SUCCESS.\n')
  })
}
