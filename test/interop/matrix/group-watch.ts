import { expect } from 'vitest'
import type { BrokerUnderTest } from '../brokers/broker-under-test.js'
import type { ForeignClient, JoinJob, MemberEvent, MemberHost } from '../clients/foreign-client.js'

const key = ({ topic, partition }: { topic: string; partition: number }) => `${topic}-${partition}`

/** All that the members of one group do, whatever process they are in, and the questions the tests ask about it. */
export class GroupWatch {
  readonly events: MemberEvent[] = []
  private readonly hosts = new Set<MemberHost>()
  private readonly hostOf = new Map<string, MemberHost>()
  private wake: () => void = () => {}

  constructor(
    private readonly client: ForeignClient,
    private readonly job: Omit<JoinJob, 'member'>,
    private readonly broker: BrokerUnderTest,
  ) {}

  /** A process for members. */
  async host(): Promise<MemberHost> {
    const host = await this.client.host((event) => {
      this.events.push(event)
      this.wake()
    })
    this.hosts.add(host)
    return host
  }

  async join(host: MemberHost, member: string, more: Partial<JoinJob> = {}): Promise<void> {
    this.hostOf.set(member, host)
    await host.join({ ...this.job, ...more, member })
  }

  async leave(member: string): Promise<void> {
    const host = this.hostOf.get(member)
    this.hostOf.delete(member)
    await host?.leave(member)
  }

  /** kill -9 of a process with its members. */
  async kill(host: MemberHost): Promise<void> {
    for (const [member, its] of this.hostOf) if (its === host) this.hostOf.delete(member)
    this.hosts.delete(host)
    await host.kill()
  }

  async close(): Promise<void> {
    await Promise.all([...this.hosts].map((host) => host.close()))
    this.hosts.clear()
  }

  get members(): string[] {
    return [...this.hostOf.keys()]
  }

  /** What a member says is its own: the last it said since its last join. */
  assignmentOf(member: string): string[] | null {
    const event = this.events.findLast((one) => one.member === member && one.on === 'assigned')
    return event?.on === 'assigned' ? event.partitions.map(key).sort() : null
  }

  /** Resolves once `holds`; rejects when it has not for a minute. */
  async until(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
    const deadline = Date.now() + limitMs
    while (!holds()) {
      const failed = this.events.find((event) => event.on === 'failed')
      if (Date.now() > deadline || failed) throw new Error(`${what}: not in ${limitMs} ms`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Resolves once the members that are there have all partitions between them, each one of them, each member some. */
  async untilShared(partitions: readonly string[], members = this.members): Promise<void> {
    await this.until(`${members.join(', ')} share ${partitions.length} partitions`, () => {
      const assignments = members.map((member) => this.assignmentOf(member) ?? [])
      const isFair = assignments.every((one) => one.length > 0 || members.length > partitions.length)
      return isFair && assignments.flat().sort().join() === [...partitions].sort().join()
    })
  }

  /**
   * As `untilShared`, and each member has as many: where partitions change hands one by one, those that are there may
   * have all of them between them while some are still on their way.
   */
  async untilEven(partitions: readonly string[]): Promise<void> {
    const { members } = this
    const share = partitions.length / members.length
    await this.until(`${members.join(', ')} have ${share} partitions each`, () => {
      const assignments = members.map((member) => this.assignmentOf(member) ?? [])
      return (
        assignments.every(({ length }) => length === share) &&
        assignments.flat().sort().join() === [...partitions].sort().join()
      )
    })
  }

  /** Every record handed to a member so far, in the order of time. */
  get delivered(): { member: string; at: bigint; topic: string; partition: number; offset: number; value: string }[] {
    return this.events
      .flatMap((event) =>
        event.on === 'records' ? event.records.map((one) => ({ ...one, member: event.member, at: event.at })) : [],
      )
      .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  }

  /** The offset behind the last record of each partition that was handed to anybody. */
  get handedOut(): Map<string, number> {
    const ends = new Map<string, number>()
    for (const one of this.delivered) ends.set(key(one), Math.max(ends.get(key(one)) ?? 0, one.offset + 1))
    return ends
  }

  /** Committed offsets, as acknowledged to the members: the last of each partition. */
  get committed(): Map<string, number> {
    const commits = this.events.flatMap((event) =>
      event.on === 'committed' ? event.offsets.map((one) => ({ ...one, at: event.at })) : [],
    )
    commits.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    return new Map(commits.map((commit) => [key(commit), commit.offset]))
  }

  /** Fails unless every value was handed to somebody. */
  expectAtLeastOnce(values: readonly string[]): void {
    const seen = new Set(this.delivered.map(({ value }) => value))
    expect(values.filter((value) => !seen.has(value))).toEqual([])
  }

  /** As well, fails if a record was handed out after a commit that covered it had been acknowledged. */
  expectNoneAfterCommit(values: readonly string[]): void {
    this.expectAtLeastOnce(values)
    expect(this.deliveredAfterCommit()).toEqual([])
  }

  private deliveredAfterCommit(): string[] {
    const covered = new Map<string, { at: bigint; offset: number }[]>()
    for (const event of this.events) {
      if (event.on !== 'committed') continue
      for (const offset of event.offsets) {
        const list = covered.get(key(offset)) ?? []
        list.push({ at: event.at, offset: offset.offset })
        covered.set(key(offset), list)
      }
    }
    return this.delivered.flatMap((record) => {
      const earlier = covered.get(key(record))?.find(({ at, offset }) => at < record.at && offset > record.offset)
      if (earlier === undefined) return []
      return [`${key(record)}@${record.offset} to ${record.member}, ${record.at - earlier.at} ns after its commit`]
    })
  }

  /** The last events in words, and where each partition stands. */
  story(last = 60): string {
    const places = [...this.handedOut].map(
      ([name, end]) => `${name}: handed out to ${end}, committed ${this.committed.get(name)}`,
    )
    const events = this.events.slice(-last).map(({ member, at, ...event }) => {
      const what =
        event.on === 'records'
          ? `${event.records.length} records of ${[...new Set(event.records.map(key))].join(' ')}`
          : JSON.stringify(event)
      return `${at} ${member}: ${what}`
    })
    const complaints = [...this.hosts].map((host) => host.complaints()).filter((text) => text !== '')
    return [...events, ...places, ...complaints, this.broker.output().slice(-20_000)].join('\n')
  }
}
