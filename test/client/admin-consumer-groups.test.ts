import { expect, onTestFinished, test } from 'vitest'
import { open } from '../../ts/index.js'
import { openEngine } from '../../ts/native/open-engine.js'
import { apiKey, apis, type RequestOf } from '../../ts/protocol/apis.js'
import { create, type Message } from '../../ts/protocol/schema.js'
import { listen } from '../../ts/server/listen.js'
import { parseKafkaTarget } from '../../ts/transport/tcp-address.js'
import { tcpSettings } from '../../ts/transport/tcp-settings.js'
import { TcpTransport } from '../../ts/transport/tcp-transport.js'
import { rejection } from './rejection.js'

/** A server with one member of the consumer protocol in group `readers`, and a log over it. */
async function serveReaders() {
  const server = await listen({ data: 'memory:', listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }] })
  onTestFinished(() => server.close())
  const url = `kafka://127.0.0.1:${server.listeners[0]!.port}`
  const log = await open(url)
  onTestFinished(() => log.close())
  const admin = log.admin()
  await admin.createTopic({ topic: 't', partitions: 2 })
  const engine = openEngine()
  const transport = await TcpTransport.open(parseKafkaTarget(url), tcpSettings({}), (bytes) => engine.crc32c(bytes))
  onTestFinished(() => transport.close())
  const heartbeat = (fields: Partial<RequestOf<68>>) => {
    const table: Message = apis[apiKey.consumerGroupHeartbeat].request
    const request = create(table, { groupId: 'readers', memberId: 'm', ...fields } as object)
    return transport.request(apiKey.consumerGroupHeartbeat, request as unknown as RequestOf<68>, { clientId: 'c' })
  }
  const joining = { rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'], topicPartitions: [] }
  expect(await heartbeat(joining)).toMatchObject({ errorCode: 0, memberEpoch: 1 })
  return { log, admin, heartbeat }
}

test('groups of the consumer protocol are listed, described and measured, and deleted when they are empty', async () => {
  const { log, admin, heartbeat } = await serveReaders()
  await log.producer().send({ topic: 't', messages: [{ partition: 1, value: 'v' }] })
  expect(await admin.listGroups()).toEqual([
    { groupId: 'readers', state: 'Stable', protocolType: 'consumer', type: 'consumer' },
  ])
  const member = { memberId: 'm', groupInstanceId: null, clientId: 'c', clientHost: '/127.0.0.1', topics: ['t'] }
  const assignment = [0, 1].map((partition) => ({ topic: 't', partition }))
  expect(await admin.describeGroup('readers')).toEqual({
    ...{ groupId: 'readers', state: 'Stable', protocolType: 'consumer', assignor: 'uniform' },
    members: [{ ...member, assignment }],
  })
  expect((await admin.lag('readers')).map(({ partition, memberId }) => [partition, memberId])).toEqual([
    [0, 'm'],
    [1, 'm'],
  ])
  expect((await admin.lag()).length).toBe(2)
  const offsets = [{ topic: 't', partition: 0, offset: 0 }]
  expect(await rejection(admin.setOffsets({ groupId: 'readers', offsets }))).toMatchObject({ code: 'NON_EMPTY_GROUP' })
  expect(await rejection(admin.deleteGroup({ groupId: 'readers' }))).toMatchObject({ code: 'NON_EMPTY_GROUP' })
  await heartbeat({ memberEpoch: -1 })
  expect(await admin.describeGroup('readers')).toMatchObject({ state: 'Empty', assignor: null, members: [] })
  await admin.setOffsets({ groupId: 'readers', offsets })
  await admin.deleteGroup({ groupId: 'readers' })
  expect(await rejection(admin.describeGroup('readers'))).toMatchObject({ code: 'GROUP_ID_NOT_FOUND' })
})
