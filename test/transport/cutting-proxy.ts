import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A proxy that cuts connections, in the middle of whatever goes through them. */
export class CuttingProxy {
  cuts = 0
  private readonly pairs = new Set<[Socket, Socket]>()

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** `target` is asked for with each connection, so that it may be set later. */
  static open(target: () => { host: string; port: number }): Promise<CuttingProxy> {
    return new Promise((resolve) => {
      const server = createServer((client) => proxy.take(client, connect(target())))
      let proxy: CuttingProxy
      server.listen(0, '127.0.0.1', () => {
        proxy = new CuttingProxy(server, (server.address() as AddressInfo).port)
        resolve(proxy)
      })
    })
  }

  /** Connections that are open. */
  get connections(): number {
    return this.pairs.size
  }

  /** Cuts every connection. */
  cutAll(): void {
    for (const pair of [...this.pairs]) this.cut(pair)
  }

  /**
   * Cuts a connection whenever as many bytes as `random` says (up to `bytesMax`) have passed in either direction: the
   * chunk that exceeds them is passed on in part.
   */
  cutAtRandom(bytesMax: number, random: () => number): void {
    this.nextCut = () => Math.floor(random() * bytesMax)
  }

  cutNoMore(): void {
    this.nextCut = () => Number.POSITIVE_INFINITY
  }

  close(): Promise<void> {
    this.cutAll()
    return new Promise((resolve) => this.server.close(() => resolve()))
  }

  private nextCut: () => number = () => Number.POSITIVE_INFINITY

  private take(client: Socket, broker: Socket): void {
    const pair: [Socket, Socket] = [client, broker]
    this.pairs.add(pair)
    let left = this.nextCut()
    for (const [from, to] of [pair, [broker, client] as const]) {
      from.on('data', (chunk) => {
        if (chunk.length <= left) {
          left -= chunk.length
          to.write(chunk)
          return
        }
        to.write(chunk.subarray(0, left), () => this.cut(pair))
        left = 0
      })
      from.on('error', () => {})
      from.on('close', () => this.drop(pair))
    }
  }

  private cut(pair: [Socket, Socket]): void {
    if (!this.pairs.has(pair)) return
    this.cuts++
    for (const socket of pair) socket.resetAndDestroy()
    this.pairs.delete(pair)
  }

  private drop(pair: [Socket, Socket]): void {
    this.pairs.delete(pair)
    for (const socket of pair) socket.destroy()
  }
}

/** The same numbers in [0, 1) for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
