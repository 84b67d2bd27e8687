import { createServer } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { describe, expect, onTestFinished, test } from 'vitest'
import { apiKey } from '../../ts/protocol/apis.js'
import { Listener, type ListenerOptions } from '../../ts/server/listener.js'
import { eventually, TestServer } from './harness.js'

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

async function listener(options: Partial<ListenerOptions>): Promise<Listener> {
  const opened = await Listener.open({ name: 'PLAINTEXT', host: 'localhost', port: 0, ...options }, false, (socket) => {
    socket.destroy()
  })
  onTestFinished(() => opened.close())
  return opened
}

describe('what clients are told', () => {
  test('on loopback: 127.0.0.1, whichever way they came', async () => {
    const { endpoint, port, hosts } = await bound({ host: 'localhost' })
    expect(hosts).toEqual(hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'])
    expect(port).toBeGreaterThan(0)
    for (const local of ['127.0.0.1', '::1', undefined]) expect(endpoint(local)).toEqual({ host: '127.0.0.1', port })
  })

  test.skipIf(!hasIpv6)('on ::1 alone: that', async () => {
    const { endpoint, port } = await bound({ host: '::1' })
    expect(endpoint('::1')).toEqual({ host: '::1', port })
  })

  test.each(['0.0.0.0', '', '::'])('on every address (%j): the one they came to, never that', async (host) => {
    const { endpoint, port } = await bound({ host })
    expect(endpoint('127.0.0.1')).toEqual({ host: '127.0.0.1', port })
    expect(endpoint('192.0.2.7')).toEqual({ host: '192.0.2.7', port })
    expect(endpoint('2001:db8::7')).toEqual({ host: '2001:db8::7', port })
    for (const local of ['fe80::1', '', undefined]) expect(endpoint(local)).toEqual({ host: hostname(), port })
  })

  test('what was set, with the port in use unless one was set too', async () => {
    const { endpoint, port } = await bound({ host: '0.0.0.0', advertisedHost: 'kafka.example.org' })
    expect(endpoint('127.0.0.1')).toEqual({ host: 'kafka.example.org', port })
    const { endpoint: other } = await bound({ advertisedHost: 'kafka.example.org', advertisedPort: 19092 })
    expect(other('127.0.0.1')).toEqual({ host: 'kafka.example.org', port: 19092 })
  })

  async function bound(options: Partial<ListenerOptions>) {
    const { hosts, port, ...rest } = await listener(options).then((opened) => ({
      hosts: opened.hosts,
      port: opened.port,
      endpoint: (local: string | undefined) => opened.endpoint(local),
    }))
    return { hosts, port, ...rest }
  }
})

test.skipIf(!hasIpv6)('both loopback addresses lead to the server, which tells one', async () => {
  const server = await TestServer.start({ listeners: [{ name: 'PLAINTEXT', host: 'localhost', port: 0 }] })
  for (const host of ['127.0.0.1', '::1']) {
    const client = await server.connect({ host })
    const { brokers } = await client.ask(apiKey.metadata, {}, 9)
    expect(brokers).toMatchObject([{ host: '127.0.0.1', port: server.port }])
  }
})

test('each listener tells its own address', async () => {
  const server = await TestServer.start({
    listeners: [
      { name: 'INSIDE', host: '127.0.0.1', port: 0, advertisedHost: 'inside', advertisedPort: 1 },
      { name: 'OUTSIDE', host: '127.0.0.1', port: 0, advertisedHost: 'outside', advertisedPort: 2 },
    ],
  })
  const told: string[] = []
  for (const { port } of server.running.listeners) {
    const client = await server.connect({ port })
    const { brokers } = await client.ask(apiKey.metadata, {}, 9)
    const { brokers: again } = await client.ask(apiKey.describeCluster, { endpointType: 1 })
    expect(again).toMatchObject([{ host: brokers[0].host, port: brokers[0].port }])
    told.push(`${brokers[0].host}:${brokers[0].port}`)
  }
  expect(told).toEqual(['inside:1', 'outside:2'])
})

describe('a listener that cannot be', () => {
  test('a port that is taken is named, and the data directory is closed again', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      other.close()
    })
    const { port } = other.address() as { port: number }
    const listeners = [{ name: 'PLAINTEXT', host: '127.0.0.1', port }]
    await expect(TestServer.start({ listeners })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1, port ${port}.*another program listens there`)),
    })
  })

  test('a port that is taken on one loopback address only', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, hasIpv6 ? '::1' : '127.0.0.1', resolve))
    onTestFinished(() => {
      other.close()
    })
    const { port } = other.address() as { port: number }
    await expect(listener({ host: 'localhost', port })).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
    // Nothing is left bound on the other.
    const free = await listener({ host: '127.0.0.1', port: hasIpv6 ? port : 0 })
    expect(free.port).toBeGreaterThan(0)
  })

  test('an address this machine does not have', async () => {
    await expect(listener({ host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringMatching(/192\.0\.2\.1.*does not have that address/),
    })
  })
})

test('a socket that the system would not give an address to is closed and forgotten', async () => {
  const server = await TestServer.start()
  const client = await server.connect()
  client.socket.resetAndDestroy()
  const next = await server.connect()
  await next.ask(apiKey.metadata, {}, 9)
  await eventually(() => server.server.connections === 1)
})
