import { expect, test } from 'vitest'
import { answeredVersions } from '../../ts/broker/api/offered-apis.js'
import { type ApiKey, apiKey, apis } from '../../ts/protocol/apis.js'
import { zeroUuid } from '../../ts/protocol/uuid.js'
import { clientBatch, newest, produceOf, type RawClient, TestServer } from './harness.js'
import { sampleRequests as requests, sampleTopic as topic } from './sample-requests.js'

async function started(): Promise<{ server: TestServer; client: RawClient; topicId: string; offered: ApiKey[] }> {
  const server = await TestServer.start()
  await server.createTopic(topic)
  const client = await server.connect()
  const { topics } = await client.ask(apiKey.metadata, { topics: [{ name: topic, topicId: zeroUuid }] })
  const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  const { apiKeys } = await client.ask(apiKey.apiVersions, software)
  expect(apiKeys.length).toBeGreaterThan(20)
  return { server, client, topicId: topics[0].topicId, offered: apiKeys.map((api) => api.apiKey as ApiKey) }
}

test('every version of every API answers defaults in its own form', async () => {
  const { server, client, offered } = await started()
  for (const key of offered) {
    const { from, to } = answeredVersions(key)!
    for (let version = from; version <= to; version++) {
      // They may be refused, but by an answer; a produce with acks 0 has none.
      const id = client.send(key, key === apiKey.produce ? { acks: 1 } : {}, version)
      const answer = await client.answer(key, version).catch(() => null)
      expect(answer?.id, `${apis[key].name} ${version}: ${JSON.stringify(server.log.lines)}`).toBe(id)
    }
  }
  expect(server.lines('warn')).toEqual([])
  expect(server.lines('error')).toEqual([])
})

test('every version of every API answers about what is there in its own form', async () => {
  const { server, client, offered, topicId } = await started()
  await client.ask(apiKey.produce, produceOf(topic, clientBatch('first')), 12)
  await client.ask(apiKey.findCoordinator, { coordinatorKeys: ['group'] }, newest(apiKey.findCoordinator))
  for (const key of offered) {
    const request = requests[key]
    if (request === undefined) continue
    const { from, to } = answeredVersions(key)!
    for (let version = from; version <= to; version++) {
      const id = client.send(key, request({ topicId, version }), version)
      const answer = await client.answer(key, version).catch(() => null)
      const seen = `${apis[key].name} ${version}: ${JSON.stringify(server.log.lines)}`
      expect(answer?.id, seen).toBe(id)
      expect(faults(answer?.response), seen).toEqual([])
    }
  }
  expect(server.lines('warn')).toEqual([])
  expect(server.lines('error')).toEqual([])
})

/** Error codes that say the broker failed, or that it took the request for malformed. */
function faults(value: unknown): number[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'errorCode' && (inner === -1 || inner === 42) ? [inner] : faults(inner),
  )
}
