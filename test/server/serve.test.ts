import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { open, type ServeOptions, serve } from '../../ts/index.js'
import { temporaryFolder } from '../cli/run-cli.js'

async function serving(target = 'memory:', options: ServeOptions = {}) {
  const served = await serve(target, { port: 0, ...options })
  onTestFinished(() => served.close())
  return served
}

/** The answer to one ApiVersions request of version 0, as bytes. */
function apiVersions(host: string, port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = Buffer.from('0000000a00120000000000070000', 'hex')
    const socket = connect(port, host, () => socket.write(request))
    const chunks: Buffer[] = []
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      if (bytes.length < 4 || bytes.length < bytes.readInt32BE(0) + 4) return
      socket.destroy()
      resolve(bytes)
    })
  })
}

describe('serve', () => {
  test('a log in memory, reached by socket on both loopback addresses and from this process', async () => {
    const served = await serving()
    expect(served.bootstrap).toBe(`127.0.0.1:${served.port}`)
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      const answer = await apiVersions(host, served.port)
      expect(answer.readInt32BE(4)).toBe(7)
      expect(answer.readInt16BE(8)).toBe(0)
    }
    await served.log.producer().send({ topic: 't', messages: [{ value: 'x' }] })
    expect(await served.log.admin().listOffsets({ topic: 't' })).toMatchObject([{ latest: 1n }])
  })

  test('closing the log leaves the server running; closing the server ends both, and the next open needs no recovery', async () => {
    const data = temporaryFolder()
    const served = await serving(data)
    await served.log.producer().send({ topic: 't', messages: [{ value: 'x' }] })
    await served.log.close()
    expect((await apiVersions('127.0.0.1', served.port)).length).toBeGreaterThan(50)
    await expect(open(data)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
    await served.close()
    await served.close()
    await expect(apiVersions('127.0.0.1', served.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const log = await open(data)
    expect(await log.admin().listOffsets({ topic: 't' })).toMatchObject([{ latest: 1n }])
    await log.close()
  })

  test('several listeners', async () => {
    const served = await serve('memory:', {
      listeners: [
        { name: 'A', host: '127.0.0.1', port: 0 },
        { name: 'B', host: 'localhost', port: 0, advertisedHost: 'kafka.example', advertisedPort: 9092 },
      ],
    })
    onTestFinished(() => served.close())
    expect(served.listeners).toEqual([
      { name: 'A', host: '127.0.0.1', port: served.port },
      { name: 'B', host: 'kafka.example', port: 9092 },
    ])
  })

  test('a port that is taken is an error, and nothing stays open', async () => {
    const { port } = await serving()
    const data = temporaryFolder()
    await expect(serve(data, { port })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringMatching(new RegExp(`port ${port}.*another program`)),
    })
    await (await open(data)).close()
  })

  test.each([
    [{ prot: 1 }, 'MISSPELLED_OPTION'],
    [{ port: 65536 }, 'INVALID_OPTION'],
    [{ listeners: [] }, 'INVALID_OPTION'],
    [{ port: 1, listeners: [{ name: 'A', host: '', port: 0 }] }, 'INVALID_OPTION'],
    [{ listeners: [{ name: 'A', host: '' }] }, 'INVALID_OPTION'],
    [{ listeners: [{ name: 'A', host: '', port: 0, adress: 'x' }] }, 'INVALID_OPTION'],
    [
      {
        listeners: [
          { name: 'A', host: 'localhost', port: 0 },
          { name: 'A', host: 'localhost', port: 0 },
        ],
      },
      'INVALID_OPTION',
    ],
    [{ config: { 'num.partitons': 3 } }, 'UNKNOWN_CONFIG'],
    [{ signal: AbortSignal.abort() }, 'ABORTED'],
  ])('%j is %s', async (options, code) => {
    await expect(serve('memory:', options as ServeOptions)).rejects.toMatchObject({ code })
  })

  test.each([
    ['', 'INVALID_OPTION'],
    ['a\0b', 'INVALID_OPTION'],
    ['kafka://localhost:9092', 'UNSUPPORTED'],
  ])('target %j is %s', async (target, code) => {
    await expect(serve(target)).rejects.toMatchObject({ code })
  })
})
