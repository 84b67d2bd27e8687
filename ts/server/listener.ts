import { createServer, type Server, type Socket } from 'node:net'
import { hostname } from 'node:os'
import type { Endpoint } from '../broker/broker-state.js'
import { SeglogError } from '../errors/seglog-error.js'

/** Where a server listens, and what it tells clients about it. */
export interface ListenerOptions {
  /** Kafka's listener name, such as PLAINTEXT. */
  readonly name: string
  /** `localhost` is both loopback addresses, those that the machine has; empty is every address of this machine. */
  readonly host: string
  /** 0 lets the system choose, the same for every address. */
  readonly port: number
  /** What clients are told; null: found out, see `Listener.endpoint`. */
  readonly advertisedHost?: string | null
  readonly advertisedPort?: number | null
}

const loopbacks = ['127.0.0.1', '::1']
const everyAddress = ['::', '0.0.0.0']
const everyAddressNames: ReadonlySet<string> = new Set(['', '::', '0:0:0:0:0:0:0:0', '0.0.0.0'])
/** Errors for an address of a kind that this machine does not have. */
const missingCodes: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])
/** Attempts to find a port that is free on both loopback addresses. */
const attemptsMax = 20
const backlog = 1024
/** What a socket may hold unsent before nothing more is given to it. */
const unsentBytes = 64 * 1024
const keepAliveMs = 60_000

/** A listener: one port on one or more addresses, and what clients on it are told of this server. */
export class Listener {
  readonly name: string
  /** As asked for; see `ListenerOptions`. */
  readonly host: string
  readonly port: number
  /** As bound. */
  readonly hosts: readonly string[]
  readonly #servers: readonly Server[]
  readonly #advertisedHost: string | null
  readonly #advertisedPort: number

  private constructor(options: ListenerOptions, bound: readonly Bound[]) {
    this.name = options.name
    this.host = options.host
    this.port = portOf(bound[0]!.server)
    this.hosts = bound.map(({ host }) => host)
    this.#servers = bound.map(({ server }) => server)
    this.#advertisedHost = options.advertisedHost ?? specificHost(options.host)
    this.#advertisedPort = options.advertisedPort ?? this.port
  }

  /** `isPaused`: sockets come without anything read of them. Rejects with LISTEN_FAILED, naming the address and the reason. */
  static async open(
    options: ListenerOptions,
    isPaused: boolean,
    onSocket: (socket: Socket) => void,
  ): Promise<Listener> {
    for (let attempt = 1; ; attempt++) {
      try {
        return new Listener(options, await bindAll(options, isPaused, onSocket))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        const isTakenElsewhere = options.port === 0 && code === 'EADDRINUSE' && attempt < attemptsMax
        if (!isTakenElsewhere) throw listenFailed(options, error as NodeJS.ErrnoException)
      }
    }
  }

  /**
   * What a client is told that reached this server at `localAddress`: the advertised address if one was given, the
   * address listened on if that is a single one, 127.0.0.1 on loopback, which every client can use whatever `localhost`
   * means to it, and else the address at which it came, which has proved to work.
   */
  endpoint(localAddress: string | undefined): Endpoint {
    return { host: this.#advertisedHost ?? this.#reachableHost(localAddress ?? ''), port: this.#advertisedPort }
  }

  /** Connections that are open stay open. */
  close(): void {
    for (const server of this.#servers) server.close()
  }

  #reachableHost(localAddress: string): string {
    if (localAddress === '' && this.hosts.some(isLoopback)) return this.hosts[0]!
    if (isLoopback(localAddress)) return this.hosts.includes('::1') && this.hosts.length === 1 ? '::1' : '127.0.0.1'
    // Link-local addresses mean something else on every machine.
    return localAddress === '' || /^fe[89ab]/i.test(localAddress) ? hostname() : localAddress
  }
}

function specificHost(host: string): string | null {
  return host === 'localhost' || everyAddressNames.has(host) || isLoopback(host) ? null : host
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

interface Bound {
  readonly host: string
  readonly server: Server
}

/** Binds the addresses that `host` stands for, all on one port; leaves none bound when it fails. */
async function bindAll(
  { host, port }: ListenerOptions,
  isPaused: boolean,
  onSocket: (socket: Socket) => void,
): Promise<Bound[]> {
  const isEvery = everyAddressNames.has(host) && host !== '0.0.0.0'
  const hosts = host === 'localhost' ? loopbacks : isEvery ? everyAddress : [host]
  const bound: Bound[] = []
  let missing: unknown
  try {
    for (const one of hosts) {
      const onePort = bound.length === 0 ? port : portOf(bound[0]!.server)
      const server = await bind(one, onePort, isPaused, onSocket).catch((error) => {
        if (hosts.length === 1 || !missingCodes.has(error.code)) throw error
        missing = error
        return null
      })
      if (server !== null) bound.push({ host: one, server })
      // The first of these takes IPv4 as well.
      if (isEvery && bound.length > 0) break
    }
    if (bound.length === 0) throw missing
    return bound
  } catch (error) {
    for (const { server } of bound) server.close()
    throw error
  }
}

function bind(host: string, port: number, isPaused: boolean, onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const options = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMs,
      highWaterMark: unsentBytes,
      pauseOnConnect: isPaused,
    }
    const server = createServer(options, onSocket)
    server.once('error', reject)
    server.listen({ host, port, backlog }, () => {
      server.off('error', reject)
      // Nothing to be done about a connection that could not be accepted; the next ones are.
      server.on('error', () => {})
      resolve(server)
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; stop it or choose another port',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EACCES: 'ports below 1024 need more rights; choose a higher one',
  ENOTFOUND: 'no such host name is known',
}

function listenFailed({ name, host, port }: ListenerOptions, cause: NodeJS.ErrnoException): SeglogError {
  const why = reasons[cause.code ?? ''] ?? cause.message
  const where = `${host === '' ? 'every address' : host}, port ${port}`
  return new SeglogError('LISTEN_FAILED', `cannot listen on ${where} (${name}): ${why}`, { cause, key: name })
}
