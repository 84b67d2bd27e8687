import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { cliFile, jsonLines, RunningCli, seglog, temporaryFolder } from './run-cli.js'

const docker = join(__dirname, '../../docs/docker')

interface Served {
  version: string
  data: string
  clusterId: string
  nodeId: number
  listeners: { name: string; host: string; port: number }[]
}

async function introduction(running: RunningCli): Promise<Served> {
  await running.says(/\}\n/)
  return jsonLines(running.stdout)[0] as unknown as Served
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
    onTestFinished(() => {
      socket.destroy()
    })
  })
}

describe('serve', () => {
  test('says where it listens and what to try, and ends cleanly by SIGTERM with clients attached', async () => {
    const data = temporaryFolder()
    const running = new RunningCli(['serve', '--data', data, '--port', '0'])
    const [, port] = await running.says(/listening on 127\.0\.0\.1:(\d+)/)
    const [, list] = await running.says(/try, in another terminal:\n((?: {2}.*\n){3})/)
    const command = `node ${cliFile.slice(process.cwd().length + 1)}`
    expect(list.trim().split(/\n */)).toEqual([
      `echo 'hello, log' | ${command} produce hello --bootstrap localhost:${port}`,
      `${command} consume hello --bootstrap localhost:${port}`,
      `${command} topic list --bootstrap localhost:${port}`,
    ])
    expect(running.stderr).toContain(` serves ${data}\n`)
    expect(running.stdout).toBe('')
    const socket = await connected(Number(port))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.resume()
    expect((await running.signal('SIGTERM')).code).toBe(0)
    await closed
    expect(existsSync(join(data, '.kafka_cleanshutdown'))).toBe(true)
  })

  test('a second one on the same port says so, and leaves no directory open', async () => {
    const running = new RunningCli(['serve', '--data', temporaryFolder(), '--port', '0', '--json'])
    const { listeners } = await introduction(running)
    const data = temporaryFolder()
    const second = await seglog(['serve', '--data', data, '--port', String(listeners[0].port)])
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.stderr).toMatch(/another program listens there; stop it or choose another port \(LISTEN_FAILED\)\n$/)
    const third = await seglog(['topic', 'create', 't', '--data', data])
    expect(third.code).toBe(0)
  })

  test('a directory that is served is not opened twice, and the message says what to do', async () => {
    const data = temporaryFolder()
    await new RunningCli(['serve', '--data', data, '--port', '0']).says(/listening/)
    const outcome = await seglog(['produce', 't', '--data', data], 'x\n')
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toMatch(/--bootstrap HOST:PORT.*\(DIRECTORY_IN_USE\)\n$/)
  })

  test('without topics made by asking, the first line to try makes one', async () => {
    const running = new RunningCli(['serve', '--data', 'memory:', '--port', '0', '--no-auto-create-topics'])
    await running.says(/try, in another terminal:\n.* topic create hello --if-not-exists --bootstrap localhost:\d+\n/)
  })

  test('the second signal ends it at once', async () => {
    const running = new RunningCli(['serve', '--data', 'memory:', '--port', '0', '--json'])
    const { listeners } = await introduction(running)
    const socket = await connected(listeners[0].port)
    // It does not close its end, which is waited for.
    socket.allowHalfOpen = true
    const ended = new Promise((resolve) => socket.once('end', resolve).resume())
    void running.signal('SIGTERM')
    await ended
    expect((await running.signal('SIGTERM')).code).toBe(128 + 15)
  })

  test('what a stranger does is one line in the log', async () => {
    const running = new RunningCli(['serve', '--data', 'memory:', '--port', '0', '--json'])
    const { listeners } = await introduction(running)
    const socket = await connected(listeners[0].port)
    socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]))
    await running.says(/TLS handshake.*\n/)
    expect((await running.signal('SIGTERM')).stderr).toMatch(
      /^\S+Z WARN +connection closed: a TLS handshake .* client=127\.0\.0\.1 listener=PLAINTEXT connection=\d+\n$/,
    )
  })

  test('an address that others reach is a warning', async () => {
    const running = new RunningCli(['serve', '--data', 'memory:', '--port', '0', '--host', '0.0.0.0'])
    await running.says(/WARN .*whoever reaches it can read, write and delete everything/)
  })

  test.each([
    [['--port', 'many'], 2, /--port must be a port/],
    [['--config', 'num.partition=3'], 2, /did you mean num\.partitions\?/],
    [['--config', 'num.partitions=x'], 2, /\(--config num\.partitions\) must be/],
    [['--advertise', '0.0.0.0:1'], 2, /nothing a client can connect to/],
    [['--log-level', 'loud'], 2, /choices/],
    [['--config-file', '/no/such/file'], 1, /cannot be read/],
  ])('%j fails before anything is opened', async (args, code, message) => {
    const data = join(temporaryFolder(), 'data')
    const outcome = await seglog(['serve', '--data', data, ...args])
    expect(outcome).toMatchObject({ code, stdout: '' })
    expect(outcome.stderr).toMatch(message)
    expect(existsSync(data)).toBe(false)
  })
})

/** The variables of the example in docs/docker/compose.yaml. */
function composeEnvironment(): Record<string, string> {
  const [, block] = /environment:\n((?: {6}.*\n)+)/.exec(readFileSync(join(docker, 'compose.yaml'), 'utf8')) ?? ['', '']
  return Object.fromEntries([...block.matchAll(/^ {6}(\w+): (.*)$/gm)].map(([, name, value]) => [name, value]))
}

describe('the image', () => {
  /** Its entry point, with `seglog` on the PATH. */
  async function started(env: NodeJS.ProcessEnv): Promise<RunningCli> {
    const bin = temporaryFolder()
    symlinkSync(cliFile, join(bin, 'seglog'))
    const entry = join(docker, 'entrypoint.sh')
    const path = { PATH: `${bin}:${process.env.PATH}` }
    return new RunningCli(['serve', '--json', '--log-level', 'debug'], { program: entry, env: { ...path, ...env } })
  }

  test('the environment of the compose example: two listeners, each with its own address', async () => {
    const data = temporaryFolder()
    const environment = composeEnvironment()
    expect(Object.keys(environment).length).toBeGreaterThan(8)
    // The ports may be in use on this machine; what is advertised stays.
    const listeners = environment.KAFKA_LISTENERS.replaceAll(/:\d+/g, ':0')
    const running = await started({
      ...environment,
      KAFKA_LISTENERS: listeners,
      KAFKA_LOG_DIRS: data,
      KAFKA_HEAP_OPTS: '-Xmx1g',
    })
    expect(await introduction(running)).toMatchObject({
      data,
      nodeId: 1,
      listeners: [
        { name: 'INSIDE', host: 'kafka', port: 29092 },
        { name: 'OUTSIDE', host: 'localhost', port: 9092 },
      ],
    })
    expect(running.stderr).toMatch(/DEBUG .*controller\.quorum\.voters/)
    expect(running.stderr).not.toMatch(/left alone|without effect/)
    expect((await running.signal('SIGTERM')).code).toBe(0)
  })

  test('CLUSTER_ID names a new cluster; a directory that has a name keeps it, with a warning', async () => {
    const env = {
      SEGLOG_CONFIG_FILE: join(docker, 'server.properties'),
      SEGLOG_DATA: temporaryFolder(),
      SEGLOG_PORT: '0',
    }
    const first = await started({ ...env, CLUSTER_ID: '4L6g3nShT-eMCtK--X86sw' })
    expect((await introduction(first)).clusterId).toBe('4L6g3nShT-eMCtK--X86sw')
    await first.signal('SIGTERM')
    const second = await started({ ...env, CLUSTER_ID: 'another' })
    expect((await introduction(second)).clusterId).toBe('4L6g3nShT-eMCtK--X86sw')
    await second.says(/WARN .*keeps its own cluster id; CLUSTER_ID says another/)
  })

  test('a mounted server.properties takes the place of its own, and a variable beats it', async () => {
    const folder = temporaryFolder()
    const mounted = join(folder, 'server.properties')
    writeFileSync(mounted, `listeners=MINE://127.0.0.1:0\nlog.dirs=${join(folder, 'deep', 'data')}\nnode.id=8\n`)
    const running = await started({ SEGLOG_MOUNTED_CONFIG: mounted, KAFKA_NODE_ID: '9' })
    const { nodeId, listeners, data } = await introduction(running)
    expect({ nodeId, names: listeners.map(({ name }) => name) }).toEqual({ nodeId: 9, names: ['MINE'] })
    expect(data).toBe(join(folder, 'deep', 'data'))
  })

  test('its own server.properties is one, and advertises what -p 9092:9092 makes reachable', async () => {
    const running = await started({
      SEGLOG_CONFIG_FILE: join(docker, 'server.properties'),
      SEGLOG_DATA: temporaryFolder(),
      KAFKA_LISTENERS: 'PLAINTEXT://127.0.0.1:0',
      KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://localhost:9092',
    })
    expect((await introduction(running)).listeners).toEqual([{ name: 'PLAINTEXT', host: 'localhost', port: 9092 }])
  })
})
