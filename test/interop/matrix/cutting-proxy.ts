import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * Stands between a client and a broker and cuts connections at random: amid a request, amid an answer, or after the
 * broker got a request whose answer the client then never sees.
 */
export class CuttingProxy {
  cuts = 0
  private isWild = false
  private readonly pairs = new Set<[Socket, Socket]>()

  private constructor(
    private readonly server: Server,
    private readonly random: () => number,
  ) {}

  /** Listens on a free port of loopback; `target` is asked at each connection. `random` gives numbers below 1. */
  static async listen(target: () => string, random: () => number): Promise<CuttingProxy> {
    const server = createServer()
    const proxy = new CuttingProxy(server, random)
    server.on('connection', (client) => proxy.join(client, target()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** `host:port` for clients. */
  get address(): string {
    const address = this.server.address()
    return address !== null && typeof address === 'object' ? `127.0.0.1:${address.port}` : ''
  }

  /** From now on connections are cut, those there are too. */
  wild(): void {
    this.isWild = true
    for (const pair of this.pairs) this.cut(pair)
  }

  /** From now on nothing is cut; it is so at first. */
  calm(): void {
    this.isWild = false
    for (const pair of this.pairs) this.cut(pair)
  }

  async close(): Promise<void> {
    for (const pair of this.pairs) this.cut(pair)
    await new Promise((resolve) => this.server.close(resolve))
  }

  /** Bytes a connection carries before it is cut: enough to get through the hellos, most of the time. */
  private budgetOf(): number {
    if (!this.isWild) return Number.POSITIVE_INFINITY
    return this.random() < 0.2 ? this.random() * 400 : 600 + this.random() * 30_000
  }

  private join(client: Socket, target: string): void {
    const [host, port] = target.split(':')
    const broker = connect({ host, port: Number(port) })
    const pair: [Socket, Socket] = [client, broker]
    this.pairs.add(pair)
    let left = this.budgetOf()
    const carry = (from: Socket, to: Socket) => {
      from.on('data', (bytes) => {
        if (left <= bytes.length) {
          // What is left goes through, so that the far side may have understood it and the answer is lost.
          if (left >= 1) to.write(bytes.subarray(0, Math.floor(left)), () => this.cut(pair))
          else this.cut(pair)
          this.cuts += this.pairs.has(pair) ? 1 : 0
          left = 0
          return
        }
        left -= bytes.length
        to.write(bytes)
      })
      from.on('error', () => this.cut(pair))
      from.on('close', () => this.cut(pair))
    }
    carry(client, broker)
    carry(broker, client)
  }

  private cut(pair: [Socket, Socket]): void {
    this.pairs.delete(pair)
    for (const socket of pair) socket.destroy()
  }
}
