import type { ForeignClient } from '../clients/foreign-client.js'

/** Records that keep coming while the members of a group change. */
export class Feed {
  readonly values: string[] = []
  private running = true
  private readonly done: Promise<void>

  constructor(
    private readonly client: ForeignClient,
    private readonly target: { bootstrap: string; topic: string; partitions: number },
    private readonly pauseMs = 150,
  ) {
    this.done = this.run()
    // Whoever stops it is told; until then nobody listens.
    this.done.catch(() => {})
  }

  /** Ends it; resolves to the values of all records written. */
  async stop(): Promise<string[]> {
    this.running = false
    await this.done
    return this.values
  }

  private async run(): Promise<void> {
    const { partitions, ...target } = this.target
    while (this.running) {
      const first = this.values.length
      const values = Array.from({ length: 60 }, (_, i) => String(first + i))
      const records = values.map((value, i) => ({ partition: (first + i) % partitions, key: value, value }))
      await this.client.produce({ ...target, records })
      this.values.push(...values)
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs))
    }
  }
}
