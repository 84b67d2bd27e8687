import { defaultBackOff } from '../../../ts/client/back-off.js'
import { encodeAssignment } from '../../../ts/client/group/consumer-protocol.js'
import type { Transport } from '../../../ts/client/transport.js'
import { apiKey, type RequestOf } from '../../../ts/protocol/apis.js'
import { type ProtocolErrorName, protocolErrors } from '../../../ts/protocol/errors.js'

type Call = 'find' | 'join' | 'sync' | 'heartbeat' | 'leave' | 'commit' | 'offsets' | 'beat' | 'metadata'

const names: Record<number, Call> = {
  [apiKey.findCoordinator]: 'find',
  [apiKey.joinGroup]: 'join',
  [apiKey.syncGroup]: 'sync',
  [apiKey.heartbeat]: 'heartbeat',
  [apiKey.leaveGroup]: 'leave',
  [apiKey.offsetCommit]: 'commit',
  [apiKey.offsetFetch]: 'offsets',
  [apiKey.consumerGroupHeartbeat]: 'beat',
  [apiKey.metadata]: 'metadata',
}

export const topicId = 'tttttttttttttttttttttt'

/** What the fake answers instead of success: an error, a rejection, or nothing until the test says so. */
export type Scripted = ProtocolErrorName | 'never' | { throws: unknown } | Record<string, unknown>

/** A coordinator of one group that answers by a script, and well where the script says nothing. */
export class ScriptedCoordinator implements Transport {
  readonly isRemote = false
  readonly backOff = defaultBackOff
  readonly seen: { call: Call; request: Record<string, never> }[] = []
  generation = 0
  /** Partitions of topic `t` that a SyncGroup gives. */
  assigned: number[] = [0, 1]
  /** Null: the first that the member offers. */
  protocolName: string | null = null
  leader = 'other'
  /** Of the consumer protocol: what its next answer to a heartbeat tells besides; one that says everything is told in any case. */
  told: { epoch?: number; partitions?: number[]; topicId?: string } | null = null
  /** Topics by id. */
  readonly topics = new Map([[topicId, 't']])
  private readonly scripts = new Map<Call, Scripted[]>()
  private readonly held: ((answer: Record<string, unknown>) => void)[] = []

  /** The next answers to this call. */
  script(call: Call, ...answers: Scripted[]): void {
    this.scripts.set(call, [...(this.scripts.get(call) ?? []), ...answers])
  }

  /** Answers a call that was to be answered never. */
  release(answer: Record<string, unknown>): void {
    this.held.shift()!(answer)
  }

  get calls(): string[] {
    return this.seen.map(({ call }) => call)
  }

  last(call: Call): Record<string, never> {
    return this.seen.findLast((one) => one.call === call)!.request
  }

  count(call: Call): number {
    return this.seen.filter((one) => one.call === call).length
  }

  request(key: number, request: never): never {
    const call = names[key]
    this.seen.push({ call, request })
    return this.answer(call, request) as never
  }

  nodeOf(): number {
    return 0
  }

  async close(): Promise<void> {}

  private async answer(call: Call, request: Record<string, string>): Promise<unknown> {
    const scripted = this.scripts.get(call)?.shift()
    if (scripted === 'never') return new Promise((resolve) => this.held.push(resolve))
    if (typeof scripted === 'object' && 'throws' in scripted) throw scripted.throws
    const well = this.well(call, request)
    if (typeof scripted === 'object') return { ...well, ...scripted }
    if (scripted === undefined) return well
    return {
      ...well,
      errorCode: protocolErrors[scripted].code,
      memberId: scripted === 'MEMBER_ID_REQUIRED' ? 'm1' : '',
    }
  }

  private well(call: Call, request: Record<string, string>): Record<string, unknown> {
    switch (call) {
      case 'find':
        return { coordinators: [{ errorCode: 0 }] }
      case 'join': {
        const { leader } = this
        const [first] = request.protocols as unknown as { name: string }[]
        const protocolName = this.protocolName ?? first.name
        const memberId = request.memberId === '' ? 'm1' : request.memberId
        const about = { protocolName, leader, memberId, members: [], skipAssignment: false }
        return { errorCode: 0, generationId: ++this.generation, ...about }
      }
      case 'sync':
        return {
          errorCode: 0,
          assignment: encodeAssignment(this.assigned.map((partition) => ({ topic: 't', partition }))),
        }
      case 'commit':
        return { topics: [] }
      case 'beat':
        return this.beat(request as unknown as RequestOf<68>)
      case 'metadata':
        return { topics: (request as unknown as RequestOf<3>).topics!.map(({ topicId: id }) => this.topic(id)) }
      default:
        return { errorCode: 0 }
    }
  }

  private beat({ memberEpoch, rebalanceTimeoutMs, topicPartitions, subscribedTopicNames }: RequestOf<68>) {
    const { told } = this
    if (memberEpoch === 0) this.generation++
    if (memberEpoch >= 0) this.told = null
    this.generation = told?.epoch ?? this.generation
    this.assigned = told?.partitions ?? this.assigned
    const isFull = rebalanceTimeoutMs >= 0 && topicPartitions !== null && subscribedTopicNames !== null
    const topicPartitionsTold = [{ topicId: told?.topicId ?? topicId, partitions: this.assigned }]
    const isTold = memberEpoch >= 0 && (isFull || told?.partitions !== undefined)
    return {
      ...{
        errorCode: 0,
        errorMessage: null,
        memberId: null,
        memberEpoch: memberEpoch < 0 ? memberEpoch : this.generation,
      },
      ...{ heartbeatIntervalMs: 1_000, assignment: isTold ? { topicPartitions: topicPartitionsTold } : null },
    }
  }

  private topic(id: string) {
    const name = this.topics.get(id) ?? null
    return { topicId: id, name, errorCode: name === null ? protocolErrors.UNKNOWN_TOPIC_ID.code : 0, partitions: [] }
  }
}
