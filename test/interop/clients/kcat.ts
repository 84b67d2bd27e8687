import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import {
  type ClassicAssignor,
  type ConsumeJob,
  codecs,
  type ForeignClient,
  type FoundRecord,
  type GivenRecord,
  type JoinJob,
  type MemberEvent,
  type MemberHost,
  type ProduceJob,
  type TopicPartition,
} from './foreign-client.js'

/** One line of `kcat -J`. */
interface Line {
  topic: string
  partition: number
  offset: number
  ts: number
  headers?: string[]
  key: string | null
  payload: string | null
}

/** Debian's kcat, on the old librdkafka whose feature detection is the strict one. A process per call and per member. */
export class Kcat implements ForeignClient {
  readonly name = 'kcat'
  readonly codecs = codecs
  readonly assignors = ['range', 'roundrobin', 'cooperative'] as const

  async install(): Promise<void> {
    const version = spawnSync('kcat', ['-V'], { encoding: 'utf8' })
    if (version.status !== 0) throw new Error('kcat is not here: apt-get install kcat')
  }

  /** kcat takes one partition and one set of headers and no timestamps per call: one call per run of like records. */
  async produce({
    bootstrap,
    topic,
    records,
    codec = 'none',
    acks = 'all',
    idempotent,
    perBatch,
    patient,
  }: ProduceJob) {
    for (const run of alike(records)) {
      const [{ partition, headers = [] }] = run as [GivenRecord]
      const args = [
        ...['-P', '-b', bootstrap, '-t', topic, '-p', String(partition), '-z', codec, '-Z', '-K', '\t', '-D', '\n'],
        ...['-X', `acks=${acks}`, '-X', `enable.idempotence=${idempotent === true}`],
        ...['-X', `batch.num.messages=${Math.min(perBatch ?? 1000, 1000)}`, '-X', 'linger.ms=5'],
        ...['-X', 'message.max.bytes=4000000', '-X', `message.timeout.ms=${patient ? 300_000 : 30_000}`],
        ...['-X', 'reconnect.backoff.ms=20', '-X', 'reconnect.backoff.max.ms=200', '-X', 'socket.timeout.ms=10000'],
        ...headers.flatMap(([name, value]) => ['-H', value === null ? name : `${name}=${value}`]),
      ]
      // With -Z an empty key or value is a null.
      const lines = run.map(({ key, value }) => `${key ?? ''}\t${value ?? ''}\n`).join('')
      await kcat(args, lines)
    }
  }

  async consume({ bootstrap, topic, partitions, count, from }: ConsumeJob): Promise<FoundRecord[]> {
    const begin = from === 'earliest' ? 'beginning' : `s@${from.timestamp}`
    const found = await Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        kcat([
          ...['-C', '-b', bootstrap, '-t', topic, '-p', String(partition), '-o', begin, '-e', '-q', '-J'],
          ...['-X', 'fetch.message.max.bytes=4000000', '-X', 'fetch.wait.max.ms=50'],
        ]),
      ),
    )
    const records = found.flatMap((text) => text.split('\n').filter(Boolean).map(toFound))
    if (records.length < count) throw new Error(`kcat found ${records.length} of ${count} records`)
    return records
  }

  /** What `kcat -L -J` says of the cluster and a topic. */
  async metadata(bootstrap: string, topic?: string): Promise<Record<string, unknown>> {
    const args = ['-L', '-J', '-b', bootstrap, ...(topic === undefined ? [] : ['-t', topic])]
    return JSON.parse(await kcat(args)) as Record<string, unknown>
  }

  /** `kcat -Q`: the offset of the first record at or after a time; -1 the end, -2 the beginning. */
  async query(bootstrap: string, topic: string, partition: number, timestamp: number): Promise<number> {
    const said = await kcat(['-Q', '-b', bootstrap, '-t', `${topic}:${partition}:${timestamp}`])
    return Number(/offset (-?\d+)/.exec(said)?.[1])
  }

  async host(onEvent: (event: MemberEvent) => void = () => {}): Promise<MemberHost> {
    return new KcatHost(onEvent)
  }

  async close(): Promise<void> {}
}

/** Runs kcat to its end; resolves to its stdout. */
async function kcat(args: readonly string[], input = ''): Promise<string> {
  const child = spawn('kcat', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`kcat ${args.join(' ').slice(0, 300)} exited ${code}: ${errors.slice(-2000)}`)
  return output
}

function alike(records: readonly GivenRecord[]): GivenRecord[][] {
  const runs = new Map<string, GivenRecord[]>()
  for (const record of records) {
    const kind = JSON.stringify([record.partition, record.headers ?? []])
    const run = runs.get(kind)
    if (run === undefined) runs.set(kind, [record])
    else run.push(record)
  }
  return [...runs.values()]
}

function toFound(text: string): FoundRecord {
  const { partition, offset, ts, headers = [], key, payload } = JSON.parse(text) as Line
  const pairs = Array.from({ length: headers.length / 2 }, (_, i): [string, string] => [
    headers[2 * i] as string,
    headers[2 * i + 1] as string,
  ])
  return { partition, offset, key, value: payload, headers: pairs, timestamp: ts }
}

const strategies = { range: 'range', roundrobin: 'roundrobin', cooperative: 'cooperative-sticky', sticky: 'sticky' }

/** Members by `kcat -G`, which commits by itself and tells nobody. */
class KcatHost implements MemberHost {
  readonly events: MemberEvent[] = []
  private readonly children = new Map<string, ChildProcess>()
  private errors = ''

  constructor(private readonly onEvent: (event: MemberEvent) => void) {}

  async join({ bootstrap, member, group, topics, assignor, instance, sessionMs = 10_000 }: JoinJob): Promise<void> {
    const args = [
      ...['-b', bootstrap, '-G', group, ...topics, '-J', '-u', '-X', 'auto.offset.reset=earliest'],
      ...[
        '-X',
        `partition.assignment.strategy=${strategies[assignor as ClassicAssignor]}`,
        '-X',
        `session.timeout.ms=${sessionMs}`,
      ],
      ...['-X', 'heartbeat.interval.ms=500', '-X', 'fetch.wait.max.ms=50', '-X', 'auto.commit.interval.ms=100'],
      ...(instance === undefined ? [] : ['-X', `group.instance.id=${instance}`]),
    ]
    const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.children.set(member, child)
    const own = new Set<string>()
    createInterface({ input: child.stdout }).on('line', (text) => {
      const { topic, partition, offset, payload } = JSON.parse(text) as Line
      this.tell({ member, at: now(), on: 'records', records: [{ topic, partition, offset, value: payload ?? '' }] })
    })
    createInterface({ input: child.stderr }).on('line', (text) => {
      this.errors = `${this.errors}${member}: ${text}\n`.slice(-20_000)
      // `rebalanced (...): assigned: t [0], t [1]`, or `rebalanced: incremental revoke of 1 partition(s) (...): t [0]`
      const [, verb] = /rebalanced.*?(assigned|assignment|revoked|revoke)\b/.exec(text) ?? []
      if (verb === undefined) return
      const named = [...text.matchAll(/(\S+) \[(\d+)\]/g)].map(([, topic, partition]) => `${topic} ${partition}`)
      if (verb.startsWith('revoke')) for (const one of named) own.delete(one)
      else for (const one of named) own.add(one)
      const partitions = [...own].map((one): TopicPartition => {
        const [topic = '', partition] = one.split(' ')
        return { topic, partition: Number(partition) }
      })
      this.tell({ member, at: now(), on: 'assigned', partitions })
    })
  }

  async leave(member: string): Promise<void> {
    await this.end(member, 'SIGTERM')
  }

  async kill(): Promise<void> {
    await Promise.all([...this.children.keys()].map((member) => this.end(member, 'SIGKILL')))
  }

  async close(): Promise<void> {
    await Promise.all([...this.children.keys()].map((member) => this.end(member, 'SIGTERM')))
  }

  complaints(): string {
    return this.errors
  }

  private async end(member: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.children.get(member)
    this.children.delete(member)
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'close')
    child.kill(signal)
    await gone
  }

  private tell(event: MemberEvent): void {
    this.events.push(event)
    this.onEvent(event)
  }
}

function now(): bigint {
  return process.hrtime.bigint()
}
